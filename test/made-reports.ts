/** Reports of made records, in any format. */
import { prepareReport, type ReportRequest } from '../harness/comparison.js';
import type { Report } from '../harness/contracts.js';
import { loadReport } from '../harness/plugins.js';
import type { StoredRecord } from '../harness/record.js';
import { stored } from './made-records.js';

const seeds = [1, 2, 3];
export const records = seeds.flatMap((seed) => [
  stored({ seed }),
  stored({ arch: 'mlr-sc', seed, lift: 0.1 }),
  stored({ arch: 'me-bert', seed, lift: 0.05, vectors: 4, slower: 2 }),
]);

export const prepare = (given: readonly StoredRecord[], request: ReportRequest = {}): Promise<Report> =>
  prepareReport(given, { values: true, ...request }, '0.1.0');

export async function render(format: string, report: Report): Promise<string> {
  return (await loadReport(format)).render(report);
}
