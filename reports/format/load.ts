/** Systems under load, as reports show them. */
import type { ReportLoad } from '../../harness/contracts.js';
import { formatNumber } from './numbers.js';

export const loadHead = [
  'load',
  'system',
  'answered/s',
  'waiting, mean ms',
  'p50 ms',
  'p95 ms',
  'p99 ms',
] as const;

/** A row for each setting and system, then one for each rate that was sought; cells are texts, names among them. */
export function loadRows({ rows, bounds }: ReportLoad): string[][] {
  return [
    ...rows.map(({ system, kind, setting, maxBatch, keptUp, queries, ...figures }) => [
      `${settingText(kind, setting)}${togetherText(maxBatch)}`,
      system,
      `${formatNumber(figures.answeredPerSecond, 'ms')}${keptUp ? '' : ' (behind)'}`,
      ...[figures.waitingMs, figures.p50Ms, figures.p95Ms].map((ms) => formatNumber(ms, 'ms')),
      figures.p99Ms === undefined
        ? `not measured: ${queries.toLocaleString('en-US')} samples`
        : formatNumber(figures.p99Ms, 'ms'),
    ]),
    ...bounds.map(({ system, boundMs, resolution, maxBatch, runs }) => [
      `largest rate, p99 within ${boundMs} ms${togetherText(maxBatch)}`,
      system,
      foundText(runs, resolution),
      ...Array.from({ length: 4 }, () => '–'),
    ]),
  ];
}

const settingText = (kind: 'rate' | 'clients', setting: number): string =>
  kind === 'rate' ? `${setting}/s` : `${setting} ${setting === 1 ? 'client' : 'clients'}`;

const togetherText = (maxBatch: number): string => (maxBatch === 1 ? '' : `, up to ${maxBatch} together`);

/** `143 (by search, to 5 %)`; of several seeds each where they differ. */
function foundText(runs: ReportLoad['bounds'][number]['runs'], resolution: number): string {
  const texts = runs.map(({ found, ratePerSecond }) => {
    if (found === 'none') return 'none';
    const rate = formatNumber(ratePerSecond!, 'ms');
    return found === 'above' ? `above ${rate}` : rate;
  });
  const found = [...new Set(texts)].join('; ');
  return /\d/.test(found) ? `${found} (by search, to ${Math.round(100 * resolution)} %)` : found;
}

/** What the figures are, in two sentences; docs/protocol.md has the rest. */
export const loadLegend =
  'At a rate queries come by themselves (Poisson arrivals) and wait while others are answered; a client sends its next query when it has its answer. Milliseconds are from the moment at which a query was to come, or was sent, to its answer, of one process that answers one call at a time; "behind" is less than 95 % of the rate.';
