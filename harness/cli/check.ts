/** `bench check`: whether runs got worse than a stored baseline. */
import { statSync } from 'node:fs';
import { type BenchConfig, loadConfig } from '../config/config.js';
import { BenchError } from '../errors.js';
import { loadReport } from '../plugins.js';
import { describeMachine, readRecords } from '../record.js';
import { checkRegressions, readBaseline, writeBaseline } from '../regression.js';
import type { Command } from './command.js';
import { writeTo } from './report.js';

export const command: Command = {
  usage: '--baseline FILE [RECORD...|FOLDER] [options]',
  description:
    'Compares run records with a stored baseline and ends with 1 where something got worse: accuracy where the drop is significant and over a threshold, latency as a ratio where the device is the same, bytes exactly. The thresholds are check.* of bench.config.json. Without a record it takes all of the folder that bench run writes to.',
  options: {
    baseline: { type: 'text', describe: 'the stored baseline', required: true },
    'update-baseline': {
      type: 'switch',
      describe: 'write the records to the baseline instead of checking them',
    },
    'allow-missing': {
      type: 'switch',
      describe: 'let systems of the baseline, or measures of theirs, be absent from the records',
    },
    format: { type: 'text', describe: 'what is printed: markdown where absent, junit, json' },
    junit: { type: 'text', describe: 'file to write JUnit XML to, beside what is printed' },
    config: { type: 'text', describe: 'configuration file; bench.config.json of this folder where absent' },
    set: { type: 'texts', describe: 'one setting, such as check.latencyRatio=2; may be given several times' },
  },
  maxArguments: Number.POSITIVE_INFINITY,
  examples: [
    ['bench check --baseline baseline.json --update-baseline', 'take what is in results/ as the baseline'],
    ['bench check --baseline baseline.json --junit check.xml', 'in CI, after bench run'],
  ],
  async run(values, targets, print) {
    const { config: file, set = [], junit } = values;
    const config: BenchConfig = loadConfig({
      cwd: process.cwd(),
      set: set as readonly string[],
      ...(file !== undefined && { file: String(file) }),
    });
    const baselineFile = String(values.baseline);
    const plugin = await loadReport(String(values.format ?? 'markdown'));
    const records = await readRecords(targets.length === 0 ? [config.out] : targets);
    if (values['update-baseline'] === true) {
      assertNoFolder(baselineFile);
      await writeBaseline(baselineFile, records);
      print(`${records.length} records are the baseline now: ${baselineFile}\n`);
      return 0;
    }
    const checks = checkRegressions(await readBaseline(baselineFile), records, {
      ...config.check,
      allowMissing: values['allow-missing'] === true,
    });
    const { benchVersion } = await describeMachine();
    const report = { createdAt: new Date().toISOString(), benchVersion, sections: [], checks };
    if (junit !== undefined) await writeTo(String(junit), await (await loadReport('junit')).render(report));
    print(await plugin.render(report));
    return checks.some(({ verdict }) => verdict === 'worse') ? 1 : 0;
  },
};

function assertNoFolder(file: string): void {
  if (statSync(file, { throwIfNoEntry: false })?.isDirectory() !== true) return;
  throw new BenchError('PATH_INVALID', `The baseline ${file} is a folder.`, {
    hint: 'Name a file: --baseline baseline.json',
  });
}
