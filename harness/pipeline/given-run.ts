/** A run made elsewhere, as a system: its hits are read, measured, fused and put in order as those found here; it answers no query. */
import { stat } from 'node:fs/promises';
import path from 'node:path';
import type { Query } from '../contracts.js';
import { counted } from '../counted.js';
import { BenchError } from '../errors.js';
import { Identifiers } from '../index/identifiers.js';
import { bareArchitecture } from '../record.js';
import { noHits, type PassageHits } from '../search/passage-hits.js';
import { hitsOfRange } from '../search/passages.js';
import { type GivenRunFacts, givenRun, passageFile, queryIdsIn } from '../stages/given-run.js';
import { type Known, knownOf } from '../stages/known.js';
import { askedOf, type SystemStages } from '../stages/systems.js';
import { Workbench } from '../stages/workbench.js';
import { keyOf } from '../store/hash.js';
import { describeFile } from '../store/hash-once.js';
import type { Artifact } from '../store/store.js';
import { isSystem } from '../systems.js';
import type { OpenSystem } from './cell.js';
import type { StageTime } from './estimate/stage-time.js';
import { remarksOf, unknownRemarks } from './foreign-run.js';
import { readHits } from './hit-files.js';
import type { RunRequest } from './run-request.js';
import type { AnsweredSystem, AnswerRequest, Means, SystemPlan } from './system.js';

const pathIn = ({ architecture }: Pick<RunRequest, 'architecture'>): string =>
  architecture.slice(architecture.indexOf(':') + 1);
const fileOf = (request: RunRequest): string => path.resolve(pathIn(request));
const nameOf = (request: RunRequest): string => `run:${path.basename(fileOf(request))}`;

const untimed = 'its hits were made elsewhere, and read from a file';

/** @throws BenchError PATH_INVALID; USAGE for distractors: nobody has searched among them */
export async function requirements(request: RunRequest): Promise<Means> {
  const { architecture, distractors } = request;
  if (distractors !== undefined) {
    throw new BenchError('USAGE', `${architecture} has hits of the collection that was searched alone.`, {
      hint: 'Leave --distractors out, or search the larger collection and name that with --dataset.',
    });
  }
  const file = fileOf(request);
  const found = await stat(file).catch(() => undefined);
  if (found?.isFile() === true) return {};
  const what =
    found === undefined ? 'there is no such file' : found.isDirectory() ? 'it is a folder' : 'it is no file';
  throw new BenchError('PATH_INVALID', `${architecture} cannot be used: ${what} (${file}).`, {
    hint: await hintFor(pathIn(request)),
  });
}

/** What separates names may stand in a path: then it is said how they are told apart. */
async function hintFor(named: string): Promise<string> {
  const usual = 'Behind run: stands the path of a file of hits.';
  const pieces: string[] = [];
  for (const piece of named.split(/[,+>]/).slice(1)) if (!(await isSystem(piece))) pieces.push(`'${piece}'`);
  if (pieces.length === 0) return usual;
  return `${usual} A piece behind , + or > that is no system's name belongs to it, here ${pieces.join(', ')}.`;
}

export async function plan(request: RunRequest): Promise<SystemPlan> {
  const file = fileOf(request);
  const { sizeBytes, sha256 } = await describeFile(file);
  return {
    stages: [
      `run       ${file}: ${counted(sizeBytes, 'bytes')}, sha256 ${sha256.slice(0, 12)}`,
      `read      the hits of the test queries, the first ${request.config.search.depth} of each`,
    ],
    untimed,
    needs: async () => [],
  };
}

export const times = async (): Promise<StageTime[]> => [
  { stage: 'read hits', seconds: null, basis: 'files of hits are not read beforehand' },
];

/** @param hash the sha256 of the file */
const stageOf = (
  request: RunRequest,
  hash: string,
  known: Known,
  asked: Pick<AnswerRequest, 'split' | 'depth' | 'identicalIds'>,
) =>
  givenRun(
    { file: fileOf(request), key: hash, name: nameOf(request) },
    { ...asked, unknown: request.component ? 'dropped' : 'kept' },
    known,
  );

export async function stages(request: RunRequest, known: Known): Promise<SystemStages> {
  const file = fileOf(request);
  // Where names alone are known, nothing is read.
  const hash = known.told === undefined ? keyOf({ file }) : (await describeFile(file)).sha256;
  const run = stageOf(request, hash, known, askedOf(request, known));
  return { run, all: [run] };
}

export async function given(request: RunRequest): Promise<AnsweredSystem['given']> {
  return { run: (await describeFile(fileOf(request))).sha256 };
}

export async function answer(asking: AnswerRequest): Promise<AnsweredSystem> {
  const { request, prepared, split, depth, identicalIds, log, progress } = asking;
  const described = await describeFile(fileOf(request));
  const { sha256 } = described;
  const bench = new Workbench(prepared, progress, log);
  const stage = stageOf(request, sha256, await knownOf(bench), { split, depth, identicalIds });
  const run = await bench.logged(stage, 'read hits');
  const { folder, facts } = run;
  const none = { engine: null, device: null, searcher: null, threads: null, versions: {} };
  const from: GivenFrom = { folder, depth: facts.depth };
  return {
    run,
    index: { identifiers: () => Identifiers.open(passageFile(folder)), passages: facts.passages },
    facts: {
      config: request.config,
      arch: bareArchitecture(nameOf(request), 'run'),
      device: { ...none, hits: 'given' },
      hitsFrom: described,
    },
    given: { run: sha256 },
    remarks: [
      ...remarksOf(facts.found, { ...described, name: pathIn(request) }, split),
      ...depthRemarks(facts, depth),
      ...(request.component
        ? droppedRemarks(facts, prepared.dataset.name)
        : unknownRemarks(facts.unknown, prepared.dataset.name)),
    ],
    work: {},
    untimed,
    openBytes: facts.queries * (12 * facts.depth + 4),
    rereads: false,
    stages: { run: stage, all: [stage] },
    searchable: [stage],
    opening: { system: request.architecture, folders: [folder], from },
    close: async () => undefined,
  };
}

/** Where the file has other numbers of hits than are asked for. */
function depthRemarks({ longer, longest, found: { queries } }: GivenRunFacts, depth: number): string[] {
  if (longer > 0)
    return [
      `the first ${counted(depth, 'hits')} of each query are taken; the file has more for ${longer.toLocaleString('en-US')} of ${counted(queries, 'queries')}`,
    ];
  if (longest === depth) return [];
  return [
    `the file has at most ${counted(longest, 'hits')} of a query, fewer than the ${depth} that are asked for: what looks further finds nothing there`,
  ];
}

/** For systems that work with its hits, whose costs are added up. */
const droppedRemarks = ({ unknown }: Artifact<GivenRunFacts>['facts'], dataset: string): string[] => [
  ...(unknown === 0
    ? []
    : [
        `${counted(unknown, 'passages of the run are', 'passage of the run is')} not in ${dataset}, and left out before the first hits are counted`,
      ]),
  'what its index takes and how long finding its hits takes is not known: no figure here has it in it',
];

/** By which it is opened: JSON. */
interface GivenFrom {
  readonly folder: string;
  readonly depth: number;
}

/** Looks up what was found: a system that works with its hits is timed with that alone. */
export async function open(from: object): Promise<OpenSystem> {
  const { folder, depth } = from as GivenFrom;
  const all = await readHits({ folder, facts: { depth } } as Artifact<{ depth: number }>);
  const places = new Map((await queryIdsIn(folder)).map((queryId, place) => [queryId, place]));
  const hitsFor = ({ queryId }: Query): PassageHits => {
    const place = places.get(queryId);
    return place === undefined ? noHits(1, depth) : hitsOfRange(all, place, 1);
  };
  return {
    parts: [{ name: 'search', run: hitsFor }],
    answerBatch: async (queries) => together(queries.map(hitsFor), depth),
    resident: true,
    close: async () => undefined,
  };
}

/** The hits of single queries as those of all. */
function together(lists: readonly PassageHits[], depth: number): PassageHits {
  const all = noHits(lists.length, depth);
  for (const [q, { ordinals, scores, counts }] of lists.entries()) {
    all.ordinals.set(ordinals, q * depth);
    all.scores.set(scores, q * depth);
    all.counts[q] = counts[0]!;
  }
  return all;
}
