/** `bench run`: every stage, for every architecture, dataset and seed asked for. */
import path from 'node:path';
import { BenchError } from '../errors.js';
import { jsonText } from '../json.js';
import type { Plan } from '../pipeline/plan.js';
import type { RunRequest } from '../pipeline/run-request.js';
import { loadReport } from '../plugins.js';
import { duration, type Progress } from '../progress.js';
import type { RunRecord, StoredRecord } from '../record.js';
import { titleOf } from '../sweep/cell-lines.js';
import { type Command, splitList, type Values } from './command.js';
import { reportFailure } from './failure.js';
import { beginJob } from './job.js';
import { lined } from './lines.js';
import { sweepOnQueue } from './on-queue.js';
import { assertForCluster, clusterOptions, runOnSlurm } from './on-slurm.js';
import { anewOptions, noWaitOption } from './options.js';
import { renderReports, writeTo } from './report.js';
import { notesOf, summarize } from './summary.js';
import { requestsOf, sweepOptions } from './sweep-request.js';

/** @param loadPipeline imports the pipeline, which is heavy, once the request is known to be right */
export const runCommand = (loadPipeline: () => Promise<Pipeline>): Command => ({
  usage: '--arch A[,B...] --dataset D[,E...] [options]',
  description:
    'Trains, encodes, indexes, searches and measures. Each run leaves a record in the folder given by --out; what is already in the cache is not made again, so a run that was stopped goes on when it is started again. What is wrong with a request is said before any run begins. Of several runs, one that fails later leaves a record of its error and the others go on; the exit code is then the highest of those that failed. Runs on one dataset with one seed are timed together, taking turns query by query.',
  options: {
    ...sweepOptions,
    'dry-run': {
      type: 'switch',
      describe:
        'print the plan, how long it takes here (tried for some seconds) and the configuration, and leave nothing',
    },
    'no-wait': noWaitOption,
    ...clusterOptions,
    ...anewOptions,
    report: {
      type: 'text',
      describe: "reports to write beside the records, 'bench list reports'; markdown is printed too",
    },
    json: { type: 'switch', describe: 'print the run record as JSON, an array where there are several' },
  },
  examples: [
    ['bench run --arch mlr-sc --dataset sample', 'no download, a few minutes'],
    ['bench run --arch dual-encoder,mlr-sc --dataset squad --seeds 1,2,3', 'six runs, one table'],
    ['bench run --arch all --dataset sample --seeds 1,2,3 --report markdown', 'a table with significance'],
    ['bench run --arch mlr --dataset squad --set arch.layers=1,2 --set train.epochs=3', 'other settings'],
    [
      'bench run --arch bm25 --dataset beir:mine --data my-folder',
      'a collection of your own, by a name of yours',
    ],
    [
      'bench run --arch bm25 --dataset beir/scifact --distractors 0,500,4800',
      'in collections of three sizes: docs/distractors.md',
    ],
    ['bench run --arch mlr-sc --dataset squad --preset paper', 'trained as in the paper, on a GPU'],
    ['bench run --arch mlr-sc --dataset squad --dry-run', 'what would be done'],
  ],
  async run(values, _positionals, print) {
    assertForCluster(values);
    const requests = await requestsOf(values);
    const formats = values.report === undefined ? [] : splitList('report', String(values.report));
    for (const format of formats) await loadReport(format);
    const { planRun, sweep, timing } = await loadPipeline();
    const progress = beginJob(values);
    if (values['dry-run'] === true) {
      const plans: PlanOutcome[] = [];
      const times = new timing.TimeEstimates(progress);
      for (const request of requests) plans.push(await outcomeOf(request, (each) => planRun(each, times)));
      const refused = plans.flatMap(({ error }, i) => (error === undefined ? [] : [{ error, i }]));
      if (requests.length === 1 && refused[0] !== undefined) throw refused[0].error;
      print(
        values.json === true
          ? toJson(
              plans.map((plan, i) => planData(plan, requests[i]!)),
              requests.length,
            )
          : `${describePlans(plans, requests)}${inAll(plans, timing)}`,
      );
      return Math.max(0, ...refused.map(({ error, i }) => reportFailure(error, titleOf(requests[i]!))));
    }
    if (values.on === 'slurm') return runOnSlurm(values, requests, progress, print);
    const told: { stored: StoredRecord; request: RunRequest }[] = [];
    try {
      const tell = (stored: StoredRecord, request: RunRequest) => void told.push({ stored, request });
      const { failures } = await (values.on === undefined
        ? sweep(requests, progress, tell)
        : sweepOnQueue(values, requests, progress, sweep, tell));
      if (requests.length === 1 && failures[0] !== undefined) throw failures[0].error;
      return Math.max(0, ...failures.map(({ request, error }) => reportFailure(error, titleOf(request))));
    } finally {
      // The runs that were finished before an interrupt are worth seeing.
      const order = ({ request }: { request: RunRequest }) => requests.indexOf(request);
      const stored = told.sort((a, b) => order(a) - order(b)).map((each) => each.stored);
      stored.push(...(await averages(values, stored, requests[0]!, progress)));
      if (stored.some(({ record }) => record.status === 'ok') || stored.length > 1) {
        const folders = new Map(
          told.flatMap(({ stored: { record }, request: { data } }) =>
            data === undefined
              ? []
              : [[record.dataset.distractors?.to.name ?? record.dataset.name, data] as const],
          ),
        );
        const written = await writeReports(formats, stored, requests[0]!, folders);
        print(values.json === true ? toJson(recordsOf(stored), requests.length) : written.shown);
      }
    }
  },
});

interface Pipeline extends Pick<typeof import('../pipeline/plan.js'), 'planRun'> {
  sweep: typeof import('../sweep.js').sweep;
  timing: Pick<typeof import('../pipeline/estimate/time-estimate.js'), 'TimeEstimates' | 'totalOf'>;
}

export const command = runCommand(async () => {
  const [{ planRun }, { sweep }, timing] = await Promise.all([
    import('../pipeline/plan.js'),
    import('../sweep.js'),
    import('../pipeline/estimate/time-estimate.js'),
  ]);
  return { planRun, sweep, timing };
});

const recordsOf = (stored: readonly StoredRecord[]): RunRecord[] => stored.map(({ record }) => record);

/** The means of those names that stand for several datasets, written beside the records. */
async function averages(
  { dataset }: Values,
  stored: readonly StoredRecord[],
  { config: { out } }: RunRequest,
  progress: Progress,
): Promise<StoredRecord[]> {
  const { averageGroups } = await import('../pipeline/group-record.js');
  return averageGroups(splitList('dataset', String(dataset)), recordsOf(stored), out, progress);
}

/** Writes the reports beside the records. @returns what is shown: the table of the first textual one, else the summary */
async function writeReports(
  formats: readonly string[],
  stored: readonly StoredRecord[],
  { config: { out, cache } }: RunRequest,
  data: ReadonlyMap<string, string>,
): Promise<{ shown: string }> {
  const lines: string[] = [];
  let shown: string | undefined;
  const reports = formats.length === 0 ? [] : await renderReports(formats, stored, { cache, data });
  for (const { format, text, extension } of reports) {
    const file = path.resolve(out, `report.${extension}`);
    await writeTo(file, text);
    lines.push(`report: ${file}\n`);
    if (format === 'markdown') shown = `${text}\n${notesOf(recordsOf(stored))}`;
  }
  lines.push(`run records: ${path.resolve(out)}\n`);
  return { shown: `${shown ?? summarize(recordsOf(stored))}\n${lines.join('')}` };
}

/** The plan of one run, or why there would be none: the others are planned all the same, as in the sweep itself. */
type PlanOutcome = { plan: Plan; error?: never } | { plan?: never; error: BenchError };

async function outcomeOf(request: RunRequest, planRun: Pipeline['planRun']): Promise<PlanOutcome> {
  try {
    return { plan: await planRun(request) };
  } catch (error) {
    if (!(error instanceof BenchError)) throw error;
    return { error };
  }
}

function planData(outcome: PlanOutcome, { architecture, dataset, seed }: RunRequest): unknown {
  if (outcome.error === undefined) return outcome.plan;
  const { code, message, hint } = outcome.error;
  return { architecture, dataset, seed, error: { code, message, ...(hint !== undefined && { hint }) } };
}

/** The configuration is the same for all, and stands once: with what plays a part in any of them. */
function describePlans(plans: readonly PlanOutcome[], requests: readonly RunRequest[]): string {
  const parts = plans.map(({ plan, error }, i) => {
    const lines = plan?.lines ?? [
      `refused   ${error!.code}: ${error!.message.replaceAll('\n', '\n  ')}`,
      ...(error!.hint === undefined ? [] : [`hint      ${error!.hint}`]),
    ];
    return `${titleOf(requests[i]!)}\n${lined(lines.map((line) => `  ${line}`))}`;
  });
  const parted = plans.flatMap(({ plan }) => (plan === undefined ? [] : [Object.keys(plan.config)]));
  const counts = new Set(parted.flat());
  const config = Object.entries(requests[0]!.config).filter(([key]) => counts.has(key));
  return `${parts.join('')}${counts.size === 0 ? '' : `configuration\n${jsonText(Object.fromEntries(config))}`}`;
}

/** What all runs take together; nothing where there is one, which says it itself. */
function inAll(plans: readonly PlanOutcome[], { totalOf }: Pipeline['timing']): string {
  const times = plans.flatMap(({ plan }) => plan?.time ?? []);
  if (times.length < 2) return '';
  const { seconds, unknown } = totalOf(times);
  const rest = unknown === 0 ? '' : `, without what is not known of ${unknown} of them`;
  return `all ${times.length} runs: about ${duration(1000 * seconds)} here and now, what they share counted once${rest}\n`;
}

/** The thing itself where one was asked for, else an array, even where a failure has left one. */
function toJson(things: readonly unknown[], asked: number): string {
  return jsonText(asked === 1 ? things[0] : things);
}
