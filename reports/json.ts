/** Everything a report knows, for a program. */
import type { ReportPlugin } from '../harness/contracts.js';

const report: ReportPlugin = {
  summary: 'all that the other reports are made of, for a program',
  extension: 'json',
  needs: ['texts'],
  shows: ['slice', 'prices'],
  render: (data) => `${JSON.stringify(data, null, 2)}\n`,
};
export default report;
