/**
 * `npm run perf -- encode [MODEL [SQUAD-FOLDER [PASSAGES]]]`: passages of SQuAD per second by a published model, tokenizing
 * included, in float32 and int8, beside sentence-transformers on the same CPU: same passages and threads, taking turns.
 * MODEL is a folder or a name of the hub that lies in a cache. PYTHON=... chooses an interpreter that has
 * sentence-transformers.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { loadConfig } from '../config/config.js';
import type { Passage } from '../contracts.js';
import { BenchError } from '../errors.js';
import { parseJson } from '../json.js';
import { localModel } from '../pipeline/named-models.js';
import { openDatasetHere } from '../pipeline/open-dataset.js';
import { openEncoder } from '../pipeline/open-model.js';
import { openPublished } from '../pipeline/published-model.js';
import { mean } from '../statistics/summary.js';
import { openEngine } from '../tensor/engines.js';
import { wholeCount } from './counts.js';
import { inFolder } from './made-folder.js';
import { ownTurn, pythonTurn } from './turns.js';

interface Job {
  /** Folder of the model. */
  model: string;
  /** A JSON file of them. */
  passages: string;
  precision: string;
  threads: number;
  /** Passes that are timed; one goes before them. */
  repetitions: number;
  /** Of so many passages the vectors come back, to be compared. */
  compared: number;
}

interface Turn {
  seconds: number[];
  /** Of all cores together, which a machine that does other work too hardly changes. */
  cpuSeconds: number[];
  /** [compared, D], row by row. */
  vectors: number[];
}

interface Side {
  name: string;
  turn(job: Omit<Job, 'precision'>): Turn | { reason: string };
}

const strata = (precision: string): Side => ({
  name: `strata ${precision}`,
  turn: (job) => ownTurn<Turn>('encode', { ...job, precision }),
});

const sentenceTransformers = (precision: string): Side => ({
  name: `sentence-transformers ${precision}`,
  turn: (job) => pythonTurn<Turn>('sentence-encode.py', { ...job, precision }),
});

/** The first is what the others stand beside. */
const sides: readonly Side[] = [
  strata('float32'),
  strata('int8'),
  sentenceTransformers('float32'),
  sentenceTransformers('bfloat16'),
];
const turns = 3;

/** One turn of ours: the first pass compiles, and is not counted. */
async function timedPasses({ model: folder, passages: file, precision, ...job }: Job): Promise<Turn> {
  const { pretrained, encode } = loadConfig({ cwd: process.cwd() });
  const passages = parseJson(await readFile(file, 'utf8')) as Passage[];
  const engine = await openEngine('onnx', { threads: job.threads });
  const model = await openPublished(folder, 'pretrained:model', pretrained);
  const encoder = openEncoder(model, 'passage', engine, { ...encode, precision });
  const seconds: number[] = [];
  const cpuSeconds: number[] = [];
  let vectors: Float32Array = new Float32Array();
  for (let pass = 0; pass <= job.repetitions; pass++) {
    const [started, before] = [performance.now(), process.cpuUsage()];
    ({ vectors } = await encoder.encode(passages.map(model.texts.passage)));
    if (pass === 0) continue;
    const { user, system } = process.cpuUsage(before);
    seconds.push((performance.now() - started) / 1000);
    cpuSeconds.push((user + system) / 1e6);
  }
  await encoder.dispose();
  await engine.dispose();
  return {
    seconds,
    cpuSeconds,
    vectors: [...vectors.subarray(0, job.compared * model.retriever.dimensions)],
  };
}

/** Spread evenly over the collection. */
async function squadPassages(folder: string | undefined, count: number): Promise<Passage[]> {
  const dataset = await openDatasetHere('squad', loadConfig({ cwd: process.cwd() }).cache, folder);
  const step = dataset.passageCount / Math.min(count, dataset.passageCount);
  const chosen: Passage[] = [];
  let at = 0;
  for await (const passage of dataset.passages())
    if (at++ >= Math.floor(chosen.length * step)) chosen.push(passage);
  return chosen;
}

/** Between vectors of the same passages. */
function cosinesOf(a: Turn, b: Turn, passages: number): number[] {
  const width = a.vectors.length / passages;
  const dot = (x: readonly number[], y: readonly number[], from: number) =>
    x.slice(from, from + width).reduce((sum, value, i) => sum + value * y[from + i]!, 0);
  return Array.from({ length: passages }, (_, passage) => {
    const from = passage * width;
    const lengths = dot(a.vectors, a.vectors, from) * dot(b.vectors, b.vectors, from);
    return dot(a.vectors, b.vectors, from) / Math.sqrt(lengths);
  });
}

export default async function perfEncode([first, squad, count = '1024']: readonly string[]): Promise<void> {
  if (first?.startsWith('{') === true) {
    console.log(JSON.stringify(await timedPasses(parseJson(first) as Job)));
    return;
  }
  const wanted = wholeCount('passages', count);
  const measured = inFolder('encode', async (temporary) => {
    const id = first ?? 'sentence-transformers/all-MiniLM-L6-v2';
    const where = { config: loadConfig({ cwd: process.cwd() }), offline: true };
    const model = (await localModel(id, where, true))!;
    const passages = await squadPassages(squad, wanted);
    const file = path.join(temporary, 'passages.json');
    await writeFile(file, JSON.stringify(passages));
    const threads = availableParallelism();
    const compared = Math.min(32, passages.length);
    console.log(
      `${id}: ${passages.length} passages of SQuAD, ${threads} threads, best of ${2 * turns} passes`,
    );
    measure({ model, passages: file, threads, repetitions: 2, compared }, passages.length);
  });
  await measured.catch((error: unknown) => {
    if (!(error instanceof BenchError)) throw error;
    console.log(`  not measured: ${error.message}`);
  });
}

function measure(job: Omit<Job, 'precision'>, passages: number): void {
  const found = new Map<Side, Turn[]>();
  const reasons = new Map<Side, string>();
  for (let turn = 0; turn < turns; turn++)
    for (const side of sides) {
      if (reasons.has(side)) continue;
      const made = side.turn(job);
      if ('reason' in made) reasons.set(side, made.reason);
      else found.set(side, [...(found.get(side) ?? []), made]);
    }
  const best = (side: Side, of: (turn: Turn) => number[]) =>
    passages / Math.min(...found.get(side)!.flatMap(of));
  const rate = (side: Side) => best(side, ({ seconds }) => seconds);
  const cpuRate = (side: Side) => best(side, ({ cpuSeconds }) => cpuSeconds);
  const [own] = sides as [Side];
  for (const side of sides) {
    const name = `  ${side.name.padEnd(30)}`;
    const made = found.get(side)?.[0];
    if (reasons.has(side) || made === undefined) {
      console.log(`${name} not measured: ${reasons.get(side)}`);
      continue;
    }
    const cosines = cosinesOf(found.get(own)![0]!, made, job.compared);
    const near = `mean cosine ${mean(cosines).toFixed(6)}, least ${Math.min(...cosines).toFixed(6)}`;
    const beside = `ratio ${(rate(own) / rate(side)).toFixed(2)} (${(cpuRate(own) / cpuRate(side)).toFixed(2)}), ${near}`;
    console.log(
      `${name} ${rate(side).toFixed(1)} passages per second (${cpuRate(side).toFixed(1)} of one core)${side === own ? '' : `; ${own.name} beside it: ${beside}`}`,
    );
  }
}
