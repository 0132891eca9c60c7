/**
 * `npm run perf -- train`: training steps (forward, loss, backward, clipping, AdamW) beside PyTorch with transformers' BertModel
 * on the same CPU, eager and compiled in float32 and by autocast in bfloat16: same sizes, batch, lengths and threads, taking
 * turns. PYTHON=... chooses an interpreter that has both; to compile takes a C++ compiler.
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
}

const settings: Record<string, Setting> = {
  small: { layers: 2, dimensions: 128, batch: 32, queryTokens: 24, passageTokens: 96, steps: 12 },
  narrow: { layers: 12, dimensions: 128, batch: 16, queryTokens: 32, passageTokens: 128, steps: 8 },
  base: { layers: 12, dimensions: 768, batch: 4, queryTokens: 32, passageTokens: 128, steps: 4 },
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
      ours.push(...ownTurn<{ milliseconds: number[] }>('train', setting).milliseconds);
      for (const [way, times] of theirs) {
        const taken = pytorch(setting, way);
        if (taken === undefined) theirs.delete(way);
        else times.push(...taken);
      }
    }
    const own = median(ours);
    const line = (side: string, milliseconds: number) =>
      `  ${side.padEnd(17)} ${milliseconds.toFixed(0)} ms per step, ${((1000 * batch) / milliseconds).toFixed(1)} passages per second`;
    console.log(line('strata', own));
    for (const [way, times] of theirs)
      console.log(
        `${line(`PyTorch ${way}`, median(times))}; strata is ${(median(times) / own).toFixed(2)} times as fast`,
      );
  }
}
