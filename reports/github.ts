/** Workflow commands of GitHub Actions: each line of them is shown beside the pull request. */
import type { Report, ReportCheck, ReportPlugin, ReportSection } from '../harness/contracts.js';
import { detailOf, headlineOf } from './format/words.js';

const report: ReportPlugin = {
  summary: 'annotations of GitHub Actions: what got worse, what changed, runs that failed',
  extension: 'txt',
  render({ sections, checks }: Report): string {
    const lines =
      checks === undefined
        ? sections.flatMap(linesOfRuns)
        : [`bench check: ${headlineOf(checks)}`, ...checks.flatMap(linesOfCheck)];
    return lines.map((line) => `${line}\n`).join('');
  },
};
export default report;

type Level = 'error' | 'warning' | 'notice';

/** What is the same is left out: GitHub shows ten annotations of each level. */
function linesOfCheck(check: ReportCheck): string[] {
  const level = levelOf(check);
  if (level === undefined) return [];
  const title = `${check.verdict}: ${check.system} on ${check.dataset}, ${check.name}`;
  return [annotation(level, title, detailOf(check))];
}

function levelOf({ verdict, spared }: ReportCheck): Level | undefined {
  if (verdict === 'worse') return 'error';
  if (verdict === 'changed' || spared !== undefined) return 'warning';
  return verdict === 'same' ? undefined : 'notice';
}

function linesOfRuns({ dataset, runs }: ReportSection): string[] {
  return runs.flatMap(({ system, seed, status, error, warnings }) => {
    const title = `${system} on ${dataset.name}, ${dataset.split}${seed === null ? '' : `, seed ${seed}`}`;
    return [
      `${title}: ${status}`,
      ...(error === undefined ? [] : [annotation('error', title, `${error.code}: ${error.message}`)]),
      ...warnings.map((warning) => annotation('notice', title, warning)),
    ];
  });
}

/** As the Actions toolkit escapes them: a message ends with its line, a property with a comma or a colon too. */
function annotation(level: Level, title: string, message: string): string {
  const escaped = (text: string) =>
    text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
  const property = escaped(title).replaceAll(':', '%3A').replaceAll(',', '%2C');
  return `::${level} title=${property}::${escaped(message)}`;
}
