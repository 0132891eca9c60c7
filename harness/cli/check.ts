/** `bench check`: whether runs got worse than a stored baseline. */

import { statSync } from 'node:fs';
import { type BenchConfig, loadConfig } from '../config/config.js';
import { counted } from '../counted.js';
import { loadReport } from '../plugins.js';
import { describeMachine, readRecords } from '../record.js';
import type { NextBaseline } from '../regression.js';
import type { Command } from './command.js';
import { noteLines } from './lines.js';
import { writeTo } from './report.js';
import { decimal } from './request.js';

export const command: Command = {
  usage: '--baseline FILE [RECORD...|FOLDER] [options]',
  description:
    'Compares run records with a stored baseline and ends with 1 where something got worse: accuracy where the drop is significant and over a threshold, latency as a ratio where the device is the same, bytes exactly. Of every system the newest record counts, whatever its settings; records of the baseline itself do not. The thresholds are check.* of bench.config.json. Without a record it takes the folder that bench run writes to.',
  options: {
    baseline: { type: 'text', describe: 'the stored baseline', required: true },
    'update-baseline': {
      type: 'switch',
      describe: 'make the records that would be checked the baseline, instead of checking them',
    },
    'allow-missing': {
      type: 'switch',
      describe: 'let systems of the baseline, or measures of theirs, be absent from the records',
    },
    equivalence: {
      type: 'text',
      describe:
        'margin of shares, such as 0.01: what is not shown to be no worse by so much counts as worse, not only what is shown to be worse',
    },
    format: {
      type: 'text',
      describe: 'what is printed: markdown where absent, github (annotations), junit, json',
    },
    junit: { type: 'text', describe: 'file to write JUnit XML to, beside what is printed' },
    markdown: { type: 'text', describe: 'file to write markdown to, beside what is printed' },
    config: { type: 'text', describe: 'configuration file; bench.config.json of this folder where absent' },
    set: { type: 'texts', describe: 'one setting, such as check.latencyRatio=2; may be given several times' },
  },
  maxArguments: Number.POSITIVE_INFINITY,
  examples: [
    ['bench check --baseline baseline.json --update-baseline', 'take what is in results/ as the baseline'],
    ['bench check --baseline baseline.json --junit check.xml', 'in CI, after bench run'],
    [
      'bench check --baseline baseline.json --equivalence 0.01',
      'a change that must lose no point, and show it',
    ],
    ['bench check --baseline baseline.json --format github', 'as annotations of a pull request'],
  ],
  async run(values, targets, print) {
    const { config: file, set = [] } = values;
    const config: BenchConfig = loadConfig({
      cwd: process.cwd(),
      set: set as readonly string[],
      ...(file !== undefined && { file: String(file) }),
    });
    const { checkRegressions, nextBaseline, readBaseline, readBaselineIfAny, writeBaseline } = await import(
      '../regression.js'
    );
    const baselineFile = String(values.baseline);
    const format = String(values.format ?? 'markdown');
    const equivalence = decimal(values, 'equivalence');
    const plugin = await loadReport(format);
    const records = await readRecords(targets.length === 0 ? [config.out] : targets);
    if (values['update-baseline'] === true) {
      const before = await readBaselineIfAny(baselineFile);
      const named = targets.length > 0 && targets.every((target) => !isFolder(target));
      const next = nextBaseline(before.records, records, { ...config.check, named });
      await writeBaseline(baselineFile, next.records);
      print(baselineText(baselineFile, next, before.note));
      return 0;
    }
    const checks = checkRegressions(await readBaseline(baselineFile), records, {
      ...config.check,
      allowMissing: values['allow-missing'] === true,
      ...(equivalence !== undefined && { equivalence }),
    });
    const { benchVersion } = await describeMachine();
    const report = { createdAt: new Date().toISOString(), benchVersion, sections: [], checks };
    for (const name of ['junit', 'markdown'] as const) {
      const file = values[name];
      if (file !== undefined) await writeTo(String(file), await (await loadReport(name)).render(report));
    }
    print(await plugin.render(report), format === 'markdown' ? 'text' : 'data');
    return checks.some(({ verdict }) => verdict === 'worse') ? 1 : 0;
  },
};

const isFolder = (file: string): boolean => statSync(file, { throwIfNoEntry: false })?.isDirectory() === true;

function baselineText(file: string, { records, unchanged, notes }: NextBaseline, note?: string): string {
  const count = counted(records.length, 'records are', 'record is');
  const kept = unchanged === 0 ? '' : ` (${unchanged} as before: no figure moved)`;
  const said = [...(note === undefined ? [] : [note]), ...notes];
  return `${count} the baseline now: ${file}${kept}\n${noteLines(said)}`;
}
