/** `npm run perf -- evaluate`: how long an evaluation takes from files to printed means, beside trec_eval's own code. */
import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import type { Qrels, Run } from '../contracts.js';
import { readQrels, writeQrels } from '../interchange/qrels.js';
import { readRun, writeRun } from '../interchange/trec.js';
import { parseJson } from '../json.js';
import { evaluate } from '../metrics/evaluate.js';
import { parseMeasures } from '../plugins/measures.js';
import { stream } from '../random.js';
import { median } from '../statistics/summary.js';
import { inFolder } from './made-folder.js';

const queries = 100;
const depth = 1000;
const judgedPerQuery = 1300;
const repetitions = 9;
const measures = ['map', 'mrr', 'ndcg', 'ndcg@10', 'p@10', 'recall@100', 'success@20'];
const trecNames = ['map', 'recip_rank', 'ndcg', 'ndcg_cut_10', 'P_10', 'recall_100', 'success_20'];

export default async function perfEvaluate(): Promise<void> {
  await inFolder('evaluate', async (folder) => {
    const runFile = path.join(folder, 'run.txt');
    const qrelsFile = path.join(folder, 'qrels.txt');
    const { run, qrels } = generate();
    await writeRun(runFile, run, 'generated');
    await writeQrels(qrelsFile, qrels);
    process.stdout.write(
      `${queries} queries x ${depth} hits, ${queries * judgedPerQuery} qrels; from files to means\n`,
    );

    const times: number[] = [];
    let means: number[] = [];
    for (let i = 0; i < repetitions; i++) {
      const from = performance.now();
      means = await evaluateFiles(runFile, qrelsFile);
      // Printing belongs to what is timed; the same line over and over would only be noise here.
      const line = measures.map((id, m) => `${id} ${means[m]!.toFixed(4)}`).join('  ');
      times.push(performance.now() - from);
      if (i === 0) process.stdout.write(`${line}\n`);
    }
    print('this', times);
    await besideTrecEval(runFile, qrelsFile, means);
  });
}

async function evaluateFiles(runFile: string, qrelsFile: string): Promise<number[]> {
  const { run } = await readRun(runFile);
  const qrels = await readQrels(qrelsFile);
  const evaluation = evaluate(run, qrels, parseMeasures(measures), { ties: 'trec_eval' });
  return measures.map((id) => evaluation.measures.get(id)!.mean);
}

/** Scores of few digits, so that there are ties to break. */
function generate(): { run: Run; qrels: Qrels } {
  const random = stream(1, 'perf', 'evaluate');
  const run = new Map<string, { passageIds: string[]; scores: number[] }>();
  const qrels = new Map<string, Map<string, number>>();
  for (let q = 0; q < queries; q++) {
    const pool = random.shuffle(Array.from({ length: 4 * depth }, (_, i) => `passage-${q}-${i}`));
    const scores = Array.from({ length: depth }, () => Math.round(random.uniform() * 5000) / 100).sort(
      (a, b) => b - a,
    );
    run.set(`query-${q}`, { passageIds: pool.slice(0, depth), scores });
    const judged = random.shuffle(pool).slice(0, judgedPerQuery);
    qrels.set(`query-${q}`, new Map(judged.map((id) => [id, Math.max(0, random.integer(8) - 4)])));
  }
  return { run, qrels };
}

/** pytrec_eval is trec_eval's C code called from Python, with the files read by Python. */
async function besideTrecEval(runFile: string, qrelsFile: string, means: readonly number[]): Promise<void> {
  const python = process.env.PYTHON ?? 'python3';
  let output: string;
  try {
    const { stdout } = await promisify(execFile)(python, [
      '-c',
      script,
      runFile,
      qrelsFile,
      String(repetitions),
      ...trecNames,
    ]);
    output = stdout;
  } catch (error) {
    const reason =
      (error as { stderr?: string }).stderr?.trim().split('\n').at(-1) ?? (error as Error).message;
    process.stdout.write(`pytrec_eval: not measured, ${reason || (error as Error).message}\n`);
    return;
  }
  const other = parseJson(output) as { times: number[]; means: number[] };
  print('pytrec_eval', other.times);
  const difference = Math.max(...means.map((mean, i) => Math.abs(mean - other.means[i]!)));
  process.stdout.write(`largest difference between the means: ${difference.toExponential(1)}\n`);
}

function print(name: string, times: readonly number[]): void {
  const [first, ...later] = times;
  process.stdout.write(
    `${name}: first ${first!.toFixed(0)} ms, median of ${later.length} more ${median(later).toFixed(0)} ms\n`,
  );
}

const script = `
import json, sys, time
import pytrec_eval
run_file, qrels_file, repetitions, names = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4:]
times = []
for _ in range(repetitions):
    start = time.perf_counter()
    with open(run_file) as file:
        run = pytrec_eval.parse_run(file)
    with open(qrels_file) as file:
        qrels = pytrec_eval.parse_qrel(file)
    values = pytrec_eval.RelevanceEvaluator(qrels, set(names)).evaluate(run)
    means = [sum(each[name] for each in values.values()) / len(values) for name in names]
    times.append((time.perf_counter() - start) * 1000)
print(json.dumps({'times': times, 'means': means}))
`;
