/** `--distractors`: how many passages are added to a collection, and where they come from. */
import { BenchError } from '../errors.js';
import type { DistractorsChoice } from '../pipeline/distractors.js';
import { loadDataset } from '../plugins.js';
import type { Command, Values } from './command.js';
import { dataFolder, nameIn } from './request.js';

export const distractorOptions: Command['options'] = {
  distractors: {
    type: 'text',
    describe:
      'numbers of passages to add that no test query needs, ascending: 0,10000,100000; a run for each, which encode once what they share',
  },
  'distractors-from': {
    type: 'text',
    describe:
      'dataset that they come from, or DATASET=FOLDER; where absent the dataset itself: then what its test queries need is the collection that others are added to',
  },
};

/** One for each number; undefined stands for the dataset as it is. @throws BenchError USAGE, UNKNOWN_NAME, PATH_INVALID */
export async function distractorsOf(values: Values): Promise<readonly (DistractorsChoice | undefined)[]> {
  const { distractors, 'distractors-from': named } = values;
  if (distractors === undefined) {
    if (named === undefined) return [undefined];
    throw new BenchError('USAGE', '--distractors-from plays no part without --distractors.', {
      hint: 'Say how many there are to be: --distractors 10000,100000.',
    });
  }
  const counts = countsIn(String(distractors));
  const from = named === undefined ? undefined : await fromOf(String(named));
  const largest = counts.at(-1)!;
  // Without any, a dataset that others would be added to is as it is.
  return counts.map((count) =>
    count === 0 && from !== undefined ? undefined : { count, largest, ...(from && { from }) },
  );
}

function countsIn(text: string): number[] {
  const items = text.split(',').map((item) => item.trim());
  const wrong = items.find((item) => !/^(0|[1-9]\d*)$/.test(item) || !Number.isSafeInteger(Number(item)));
  const hint = 'Give whole numbers from 0, each larger than the one before: --distractors 0,10000,100000.';
  if (wrong !== undefined)
    throw new BenchError('USAGE', `--distractors ${text}: '${wrong}' is no number of passages.`, { hint });
  const counts = items.map(Number);
  const at = counts.findIndex((count, i) => i > 0 && count <= counts[i - 1]!);
  if (at > 0) {
    const pair = `${counts[at]} comes after ${counts[at - 1]}`;
    throw new BenchError('USAGE', `--distractors ${text}: ${pair}, and the numbers have to ascend.`, {
      hint,
    });
  }
  return counts;
}

async function fromOf(text: string): Promise<NonNullable<DistractorsChoice['from']>> {
  const name = nameIn(text) ?? text;
  await loadDataset(name);
  return { dataset: name, ...(name !== text && { data: dataFolder(text.slice(name.length + 1)) }) };
}
