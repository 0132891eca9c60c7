/** `bench mine`: hard negatives for training, found by a trained model, another system or BM25. */
import { BenchError, unknownName } from '../errors.js';
import { jsonText } from '../json.js';
import type { Command, Values } from './command.js';
import { refuseIdle } from './idle-options.js';
import { beginJob } from './job.js';
import { datasetOptions, makingOptions, someOptions, whoOptions } from './options.js';
import { configOf, indexFolder, splitOf, stageRequest, systemsNamed, wholeNumber, whoOf } from './request.js';

export const command: Command = {
  usage: '--checkpoint C|--arch SYSTEM|--with bm25 --dataset D [--out FILE] [options]',
  description:
    "Searches the training queries and keeps the best hits that are no answer: not judged relevant and, where queries have answers, holding none. All but BM25 also give each query a positive: the best hit that holds an answer, or, without answers, what is judged relevant. 'bench train --negatives FILE' trains on them, see docs/training-examples.md. The file is named by the last line.",
  options: {
    ...whoOptions,
    with: { type: 'text', describe: "'bm25', as with --arch" },
    ...datasetOptions,
    index: {
      type: 'text',
      describe: "folder of the checkpoint's index; made, or found in the cache, if absent",
    },
    split: { type: 'text', describe: 'queries to mine for: dev, test, or train, which is usual' },
    depth: { type: 'text', describe: 'hits looked at per query; stage2.depth if absent, for bm25 200' },
    count: { type: 'text', describe: 'negatives kept per query; all that are found if absent, for bm25 100' },
    out: { type: 'text', describe: 'file to write, packed where it ends in .gz; in the cache if absent' },
    ...someOptions('preset', 'engine', 'device', 'searcher', 'threads', 'cache', 'store', 'config', 'set'),
    ...makingOptions,
    json: { type: 'switch', describe: 'print what was mined as JSON' },
  },
  examples: [
    ['bench mine --checkpoint C --dataset squad --out mined.tsv.gz', 'what the model takes for an answer'],
    ['bench mine --arch pretrained:FOLDER --dataset squad', 'what a published model takes for one'],
    ['bench mine --arch bm25 --dataset squad --out bm25.tsv.gz', 'what the words bring up'],
  ],
  async run(values, _positionals, print) {
    const miner = await minerOf(values);
    const split = splitOf(values, 'train');
    const [depth, count] = [wholeNumber(values, 'depth'), wholeNumber(values, 'count')];
    // --out is a file here, and no setting.
    const request = await stageRequest(values, configOf({ ...values, out: undefined, index: undefined }));
    const { mineOnly } = await import('../pipeline/mine.js');
    const progress = beginJob(values);
    const mined = await mineOnly(
      {
        ...request,
        ...miner,
        split,
        ...(depth !== undefined && { depth }),
        ...(count !== undefined && { count }),
        ...(values.out !== undefined && { out: String(values.out) }),
      },
      progress,
    );
    if (values.json === true) print(jsonText(mined));
    else {
      const counts = Object.entries(mined.counts).map(
        ([what, number]) => `${names[what] ?? what} ${number.toLocaleString('en-US')}`,
      );
      print(`${counts.join(', ')}\n`);
      print(`${mined.negatives}\n`, 'data');
    }
    return 0;
  },
};

/** What was counted, in words. */
const names: Readonly<Record<string, string>> = {
  relevant: 'hits left out: relevant',
  copies: 'a relevant passage word for word',
  answering: 'holding an answer',
  identical: "having the query's id",
  without: 'queries without a negative',
  positives: 'queries with a positive',
  tooClose: 'hits left out: too close to a positive by their scores',
  withoutLimit: 'queries without a positive to hold scores against',
  tooFew: 'queries with fewer than asked for',
};

/** Nothing for BM25, whose negatives have a stage of their own. @throws BenchError USAGE where it is not clear who mines */
async function minerOf(values: Values): Promise<Awaited<ReturnType<typeof whoOf>> | { index?: string }> {
  const { with: by, checkpoint, arch, index } = values;
  if (by !== undefined && by !== 'bm25') throw unknownName('miner', String(by), ['bm25']);
  if (by !== undefined && (checkpoint ?? arch) !== undefined) {
    const other = checkpoint === undefined ? '--arch' : '--checkpoint';
    throw new BenchError('USAGE', `--with bm25 and ${other} both say who mines, and both were given.`);
  }
  if (by === undefined && !(arch === 'bm25' && checkpoint === undefined)) {
    const who = await whoOf(values, ['stage2']);
    return { ...who, ...(index !== undefined && { index: indexFolder(values) }) };
  }
  if (index !== undefined)
    throw new BenchError('USAGE', '--index belongs to --checkpoint: BM25 has an index of its own.');
  refuseIdle(values, await systemsNamed(['bm25']), ['stage2']);
  return {};
}
