/** A made-up collection in SQuAD's format, small enough to train on in a second, and settings that make it so. */
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { stream } from '../harness/random.js';

/** Every question shares three words with its paragraph, of which one is the answer. */
function article(title: string, paragraphs: number): object {
  const random = stream(1, 'squad', title);
  const word = () => `w${Math.floor(200 * random.uniform() ** 2)}`;
  return {
    title,
    paragraphs: Array.from({ length: paragraphs }, (_, p) => {
      const words = Array.from({ length: 12 + random.integer(8) }, word);
      const context = words.join(' ');
      const qas = [0, 1].map((q) => {
        const [text, ...others] = [3 * q, 3 * q + 1, 3 * q + 2].map((i) => words[i]!);
        const answers = [{ text, answer_start: context.indexOf(text!) }];
        return { id: `${title}-${p}-${q}`, question: `${others.join(' ')} ${word()}`, answers };
      });
      return { context, qas };
    }),
  };
}

/** Writes both files: 44 passages, 66 training, 6 or so dev and 16 test queries. */
export async function writeMadeSquad(folder: string): Promise<void> {
  const files = { 'train-v1.1.json': ['birds', 'stones', 'rivers'], 'dev-v1.1.json': ['towns'] };
  for (const [name, titles] of Object.entries(files)) {
    const data = titles.map((title) => article(title, name.startsWith('dev') ? 8 : 12));
    await writeFile(path.join(folder, name), JSON.stringify({ version: '1.1', data }));
  }
}

/** For `--set`: two layers of 16, three shards, two epochs of a few steps whose state is saved in between. */
export const tinySettings: readonly string[] = [
  ...['layers=2', 'dimensions=16', 'heads=2', 'intermediate=32', 'vocabularySize=200'].map(
    (size) => `model.scratch.${size}`,
  ),
  ...['epochs=2', 'batchSize=16', 'saveEverySteps=2', 'averageRankFrom=0'].map((value) => `train.${value}`),
  'text.passageTokens=24',
  'encode.shardPassages=20',
  'search.depth=10',
  'measures=answer@5,success@5,mrr@10',
  'stage2.depth=10',
  'latency.queries=2',
  'latency.warmup=1',
  'answering.measure=false',
];
