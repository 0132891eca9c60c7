/** What a run would do, for --dry-run. */

import type { BenchConfig } from '../config/config.js';
import type { DatasetPlugin, Download } from '../contracts.js';
import { counted } from '../counted.js';
import { loadDataset } from '../plugins.js';
import { duration } from '../progress.js';
import { inOrder, type Stage } from '../stages/graph.js';
import { namesOf } from '../stages/known.js';
import { loadSystem } from '../systems.js';
import type { TimeEstimate, TimeEstimates } from './estimate/time-estimate.js';
import { passagesHere } from './needs.js';
import { assertRequirements } from './requirements.js';
import type { RunRequest } from './run-request.js';

export interface Plan {
  /** The stages in order, for people. */
  lines: string[];
  /** The configuration with every value resolved, without what plays no part. */
  config: Partial<BenchConfig>;
  /** Absent where it was not asked for. */
  time?: TimeEstimate;
}

/**
 * What a run would do. Opens the dataset where that needs no network; trains and leaves nothing.
 * @param times where given, what the run does is tried for some seconds, to say how long it takes
 * @throws BenchError as the run would: for names that are not there, a folder that would not be read, and (CONFIG_INVALID)
 *   options that do not fit the model, as far as its shape is known
 */
export async function planRun(request: RunRequest, times?: TimeEstimates): Promise<Plan> {
  const { architecture, dataset, config } = request;
  const means = await assertRequirements(request);
  const system = await loadSystem(architecture);
  const steps = await system.steps();
  const { stages, needs, untimed } = await steps.plan(request, means);
  const graph = inOrder((await steps.stages(request, namesOf(request))).all);
  const { plugin, variant } = await loadDataset(dataset);
  const passages = await passagesHere(request);
  const time = await times?.of(request, means);
  return {
    lines: [
      `dataset   ${dataset}: ${sourceOf(request, plugin, variant)}`,
      ...distractorLines(request),
      `arch      ${architecture}: ${system.summary}`,
      ...stages,
      `artifacts ${namesIn(graph)}`,
      `measure   ${config.measures.join(', ')}`,
      `latency   ${untimed === undefined ? latencyText(config) : `not measured: ${untimed}`}`,
      ...(await needs(passages)),
      ...timeLines(time),
      `record    in ${config.out}; cache in ${config.cache}`,
    ],
    config: configOf(system.settings, config),
    ...(time && { time }),
  };
}

function latencyText({ latency }: BenchConfig): string {
  const { queries, rates, clients, bound, loadQueries } = latency;
  const loads = [
    ...rates.map((rate) => `${rate} a second`),
    ...clients.map((many) => `${counted(many, 'clients')}`),
    ...(bound === null ? [] : [`the largest rate within ${bound} ms`]),
  ];
  const load =
    loads.length === 0 || queries === 0
      ? ''
      : `; ${counted(loadQueries, 'queries')} each: ${loads.join(', ')}`;
  return `${counted(queries, 'queries')}, one at a time${load}`;
}

/** The stages in the order in which they are made; neighbours of one name are counted. */
function namesIn(graph: readonly Stage[]): string {
  const runs: { name: string; count: number }[] = [];
  for (const { name } of graph) {
    const last = runs.at(-1);
    if (last?.name === name) last.count++;
    else runs.push({ name, count: 1 });
  }
  return runs.map(({ name, count }) => (count === 1 ? name : `${count} x ${name}`)).join(' -> ');
}

/** @param settings that play a part */
function configOf(settings: readonly (keyof BenchConfig)[], config: BenchConfig): Partial<BenchConfig> {
  const counts: readonly string[] = settings;
  return Object.fromEntries(Object.entries(config).filter(([key]) => counts.includes(key)));
}

function distractorLines({ distractors }: RunRequest): string[] {
  if (distractors === undefined) return [];
  const { count, largest, from } = distractors;
  const rest = largest > count ? `, the first of ${largest.toLocaleString('en-US')}` : '';
  const where =
    from === undefined
      ? 'passages of its own that no test query needs'
      : `passages of ${from.dataset}${from.data === undefined ? '' : ` in ${from.data}`}`;
  return [`added     ${count.toLocaleString('en-US')} ${where}${rest}`];
}

function sourceOf({ data, offline }: RunRequest, plugin: DatasetPlugin, variant: string | undefined): string {
  if (data !== undefined) return `read from ${data}`;
  if (plugin.address !== undefined)
    return offline ? 'from the cache' : 'from the Hugging Face hub unless in the cache';
  return plugin.embedded
    ? 'embedded, nothing to download'
    : downloadsText(plugin.downloads(variant), offline);
}

function downloadsText(downloads: readonly Download[], offline: boolean): string {
  if (downloads.length === 0) return 'nothing to download';
  const parts = downloads.map(({ name, url, sizeBytes, instructions }) => {
    if (url === '') return `${name} cannot be downloaded: ${instructions ?? 'give a folder with --data DIR'}`;
    return `${name} (${sizeBytes === 0 ? 'size not published' : `${(sizeBytes / 1e6).toFixed(1)} MB`})`;
  });
  if (downloads.every(({ url }) => url === '')) return parts.join('; ');
  return `${offline ? 'from the cache' : 'downloaded unless in the cache'}: ${parts.join(', ')}`;
}

/** One line for the whole and one for each stage, with what it rests on. */
function timeLines(time: TimeEstimate | undefined): string[] {
  if (time === undefined || time.stages.length === 0) return [];
  const known = time.stages.filter(({ seconds }) => seconds !== null);
  const rest =
    known.length === time.stages.length ? '' : known.length === 0 ? 'not known' : ' and what is not known';
  const total =
    known.length === 0
      ? rest
      : `about ${duration(1000 * time.seconds)}${rest} if nothing is in the cache, with this machine as busy as it is now`;
  return [
    `time      ${total}`,
    ...time.stages.map(({ stage, seconds, basis }) =>
      seconds === null
        ? `  ${stage.padEnd(11)} not known: ${basis}`
        : `  ${stage.padEnd(11)} ${duration(1000 * seconds)}: ${basis}`,
    ),
  ];
}
