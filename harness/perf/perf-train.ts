/**
 * `npm run perf -- train`: training steps (forward, loss, backward, clipping, AdamW) beside PyTorch with transformers' BertModel
 * on the same CPU, eager and compiled in float32 and by autocast in bfloat16: same sizes, batch, lengths and threads, taking
 * turns. PYTHON=... chooses an interpreter that has both; to compile takes a C++ compiler. `mixed` has no PyTorch: passages of many lengths
 * in chunks, beside passages that are all as long as the longest, which is what chunks would cost that are padded to it.
 */
import { parseJson } from '../json.js';
import { median } from '../statistics/summary.js';
import { madeTraining } from './made-training.js';
import { ownTurn, pythonTurn } from './turns.js';

interface Setting {
  layers: number;
  dimensions: number;
  batch: number;
  queryTokens: number;
  passageTokens: number;
  /** Timed steps per turn. */
  steps: number;
  /** Of passages of all lengths from here on. */
  shortestPassage?: number;
  /** Of the gradient cache. */
  chunkSize?: number;
}

const settings: Record<string, Setting> = {
  small: { layers: 2, dimensions: 128, batch: 32, queryTokens: 24, passageTokens: 96, steps: 12 },
  narrow: { layers: 12, dimensions: 128, batch: 16, queryTokens: 32, passageTokens: 128, steps: 8 },
  base: { layers: 12, dimensions: 768, batch: 4, queryTokens: 32, passageTokens: 128, steps: 4 },
};
const mixed: Setting & { shortestPassage: number; chunkSize: number } = {
  ...{ layers: 6, dimensions: 384, batch: 32, queryTokens: 32, passageTokens: 256, steps: 3 },
  ...{ shortestPassage: 32, chunkSize: 8 },
};
/** How PyTorch does it. */
const ways = ['eager', 'compiled', 'bfloat16'] as const;
const vocabularySize = 8000;
const warmup = 3;
const threads = 2;

/** @returns milliseconds of each step */
async function timedSteps({ steps, ...sizes }: Setting): Promise<number[]> {
  const { step, dispose } = await madeTraining({ ...sizes, vocabularySize, threads });
  const times: number[] = [];
  for (let i = 1; i <= warmup + steps; i++) {
    const started = performance.now();
    await step();
    if (i > warmup) times.push(performance.now() - started);
  }
  await dispose();
  return times;
}

const turnOf = (setting: Setting) => ownTurn<{ milliseconds: number[] }>('train', setting).milliseconds;

const line = (side: string, { batch }: Setting, milliseconds: number) =>
  `  ${side.padEnd(17)} ${milliseconds.toFixed(0)} ms per step, ${((1000 * batch) / milliseconds).toFixed(1)} passages per second`;

/** The same in PyTorch; undefined, with the reason printed, where Python has none. */
function pytorch(setting: Setting, way: string): number[] | undefined {
  const turn = pythonTurn<{ milliseconds: number[] }>('pytorch-train.py', {
    ...setting,
    way,
    vocabularySize,
    warmup,
    threads,
  });
  if (!('reason' in turn)) return turn.milliseconds;
  console.log(`  PyTorch ${way} is left out: ${turn.reason}`);
  return undefined;
}

export default async function perfTrain(names: readonly string[]): Promise<void> {
  if (names[0]?.startsWith('{') === true) {
    console.log(JSON.stringify({ milliseconds: await timedSteps(parseJson(names[0]) as Setting) }));
    return;
  }
  for (const [name, setting] of Object.entries(settings)) {
    if (names.length > 0 && !names.includes(name)) continue;
    const { layers, dimensions, batch, queryTokens, passageTokens } = setting;
    console.log(
      `${name}: ${layers} layers, D=${dimensions}, ${batch} queries x ${queryTokens} and ${batch} passages x ${passageTokens} tokens, dropout 0.1, ${threads} threads`,
    );
    const ours: number[] = [];
    const theirs = new Map<string, number[]>(ways.map((way) => [way, []]));
    for (let turn = 0; turn < 3; turn++) {
      ours.push(...turnOf(setting));
      for (const [way, times] of theirs) {
        const taken = pytorch(setting, way);
        if (taken === undefined) theirs.delete(way);
        else times.push(...taken);
      }
    }
    const own = median(ours);
    console.log(line('strata', setting, own));
    for (const [way, times] of theirs)
      console.log(
        `${line(`PyTorch ${way}`, setting, median(times))}; strata is ${(median(times) / own).toFixed(2)} times as fast`,
      );
  }
  if (names.length === 0 || names.includes('mixed')) compareLengths();
}

function compareLengths(): void {
  const { layers, dimensions, batch, shortestPassage, passageTokens, chunkSize } = mixed;
  console.log(
    `mixed: ${layers} layers, D=${dimensions}, ${batch} queries, ${batch} passages of ${shortestPassage} to ${passageTokens} tokens, chunks of ${chunkSize}, dropout 0.1, ${threads} threads`,
  );
  const { shortestPassage: _, ...allLong } = mixed;
  const [own, long]: [number[], number[]] = [[], []];
  for (let turn = 0; turn < 3; turn++) {
    own.push(...turnOf(mixed));
    long.push(...turnOf(allLong));
  }
  console.log(line('by length', mixed, median(own)));
  const ratio = median(long) / median(own);
  console.log(`${line('all padded', mixed, median(long))}; by length is ${ratio.toFixed(2)} times as fast`);
}
