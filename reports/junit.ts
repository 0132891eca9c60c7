/** What a build server shows: every check, or every run, as a test case. */
import type { Report, ReportCheck, ReportPlugin, ReportSection } from '../harness/contracts.js';
import { detailOf } from './format/words.js';

const report: ReportPlugin = {
  summary: 'checks and runs as test cases, for a build server',
  extension: 'xml',
  render({ sections, checks, createdAt }: Report): string {
    const suites =
      checks === undefined
        ? sections.map((section) => suiteOfRuns(section, createdAt))
        : suitesOfChecks(checks, createdAt);
    const count = (key: 'tests' | 'failures' | 'skipped') =>
      suites.reduce((sum, suite) => sum + suite[key], 0);
    return `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="bench" tests="${count('tests')}" failures="${count('failures')}" errors="0" skipped="${count('skipped')}">
${suites.map(({ text }) => text).join('')}</testsuites>
`;
  },
};
export default report;

interface Suite {
  text: string;
  tests: number;
  failures: number;
  skipped: number;
}

interface Case {
  className: string;
  name: string;
  seconds?: number;
  failure?: string;
  skipped?: string;
  output?: string;
}

function suitesOfChecks(checks: readonly ReportCheck[], createdAt: string): Suite[] {
  const datasets = [...new Set(checks.map(({ dataset }) => dataset))];
  return datasets.map((dataset) =>
    suite(
      dataset,
      createdAt,
      checks
        .filter((check) => check.dataset === dataset)
        .map((check) => {
          const { system, name, verdict } = check;
          const detail = detailOf(check);
          return {
            className: `${dataset}.${system}`,
            name,
            ...(verdict === 'worse' && { failure: detail }),
            ...(verdict === 'not compared' && { skipped: detail }),
            ...(verdict !== 'worse' && verdict !== 'not compared' && { output: detail }),
          };
        }),
    ),
  );
}

function suiteOfRuns({ dataset, runs }: ReportSection, createdAt: string): Suite {
  return suite(
    `${dataset.name} ${dataset.version} ${dataset.split}`,
    createdAt,
    runs.map(({ system, seed, stages, error, warnings }) => ({
      className: `${dataset.name}.${system}`,
      name: seed === null ? 'run' : `seed ${seed}`,
      seconds: stages.reduce((sum, stage) => sum + stage.seconds, 0),
      ...(error && { failure: `${error.code}: ${error.message}` }),
      ...(warnings.length > 0 && { output: warnings.join('\n') }),
    })),
  );
}

function suite(name: string, createdAt: string, cases: readonly Case[]): Suite {
  const failures = cases.filter(({ failure }) => failure !== undefined).length;
  const skipped = cases.filter((each) => each.skipped !== undefined).length;
  const seconds = cases.reduce((sum, each) => sum + (each.seconds ?? 0), 0);
  const text = `  <testsuite name="${escapeXml(name)}" timestamp="${escapeXml(createdAt.replace(/\.\d+Z$|Z$/, ''))}" time="${seconds.toFixed(3)}" tests="${cases.length}" failures="${failures}" errors="0" skipped="${skipped}">
${cases.map(caseText).join('')}  </testsuite>
`;
  return { text, tests: cases.length, failures, skipped };
}

function caseText({ className, name, seconds = 0, failure, skipped, output }: Case): string {
  const inside = [
    ...(failure === undefined
      ? []
      : [`<failure message="${escapeXml(firstLine(failure))}">${escapeXml(failure)}</failure>`]),
    ...(skipped === undefined ? [] : [`<skipped message="${escapeXml(skipped)}"/>`]),
    ...(output === undefined ? [] : [`<system-out>${escapeXml(output)}</system-out>`]),
  ];
  const head = `    <testcase classname="${escapeXml(className)}" name="${escapeXml(name)}" time="${seconds.toFixed(3)}"`;
  return inside.length === 0 ? `${head}/>\n` : `${head}>${inside.join('')}</testcase>\n`;
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0]!;
}

/** Control characters have no place in XML 1.0, escaped or not. */
function escapeXml(text: string): string {
  return (
    text
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
      .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '\ufffd')
      .replace(/&/g, '&amp;')
      .replace(/</g, '&lt;')
      .replace(/>/g, '&gt;')
      .replace(/"/g, '&quot;')
  );
}
