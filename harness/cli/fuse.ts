/** `bench fuse`: several files of hits as one. */
import path from 'node:path';
import { counted } from '../counted.js';
import { BenchError } from '../errors.js';
import { runFormatNamed, runFormats } from '../interchange/run-file.js';
import type { Command } from './command.js';
import { refuseOtherMethod } from './idle-options.js';
import { beginJob } from './job.js';
import { noteLines } from './lines.js';
import { someOptions } from './options.js';
import { configOf, wholeNumber } from './request.js';

const formats = Object.keys(runFormats)
  .filter((format) => format !== 'dpr')
  .join(', ');

export const command: Command = {
  usage: '--run FILE --run FILE... --out FILE [--set fuse.KEY=VALUE] [options]',
  description:
    "Makes one run of several, whoever made them: by reciprocal ranks, or with fuse.method=weighted by sums of normalized scores, as --arch fuse:A+B does of systems that run here. Files are read in every format of bench convert, by their scores; the run is written in TREC's format.",
  options: {
    run: { type: 'texts', describe: 'hits of every query, once for each system', required: true },
    out: { type: 'text', describe: 'the file to write, packed where it ends in .gz', required: true },
    'run-format': {
      type: 'texts',
      describe: `format of each run, once for each, in their order: ${formats}; seen from the files where absent`,
    },
    depth: { type: 'text', describe: 'hits per query that are kept; all where absent' },
    tag: { type: 'text', describe: "the system's name in the file; fused where absent" },
    ...someOptions('config'),
    set: {
      type: 'texts',
      describe:
        'fuse.method (rrf, weighted), fuse.constant, fuse.weights, fuse.normalization, fuse.depth: hits taken of each run, all where absent',
    },
  },
  examples: [
    ['bench fuse --run bm25.run --run splade.run --out fused.run.gz', 'by reciprocal ranks'],
    [
      'bench fuse --run a.run --run b.run --set fuse.method=weighted --set fuse.weights=0.3,0.7 --out ab.run',
      'by scores',
    ],
    ['bench evaluate --run a.run --run fused.run.gz --qrels qrels.txt', 'what it gains'],
  ],
  async run(values, _positionals, print) {
    const others = ((values.set ?? []) as readonly string[]).filter((text) => !text.startsWith('fuse.'));
    if (others.length > 0) {
      throw new BenchError('USAGE', `--set ${others[0]} plays no part in bench fuse.`, {
        hint: 'Settings that do: fuse.method, fuse.constant, fuse.weights, fuse.normalization, fuse.depth.',
      });
    }
    const { fuse } = configOf({ config: values.config, set: values.set });
    refuseOtherMethod(values, fuse);
    const depth = wholeNumber(values, 'depth');
    const named = (values['run-format'] as readonly string[] | undefined)?.map(runFormatNamed);
    const out = path.resolve(String(values.out));
    const { fuseRuns } = await import('../pipeline/fuse-runs.js');
    beginJob(values);
    const { fusion, queries, hits, notes } = await fuseRuns({
      ...{ runs: values.run as readonly string[], fuse, out, tag: String(values.tag ?? 'fused') },
      ...(named && { formats: named }),
      ...(depth !== undefined && { depth }),
    });
    print(`${fusion}: ${counted(hits, 'hits')} of ${counted(queries, 'queries')}: ${out}\n`);
    print(noteLines(notes));
    return 0;
  },
};
