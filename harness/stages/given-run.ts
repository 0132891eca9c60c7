/** A run made elsewhere as hits of our own: passages by their places in the collection, queries in the order of their split. */
import path from 'node:path';
import type { Dataset, Query, Run } from '../contracts.js';
import { BenchError, changedWhileRead } from '../errors.js';
import { IdentifierWriter } from '../index/identifiers.js';
import { assertScores, type ForeignFacts, readForeignRun } from '../pipeline/foreign-run.js';
import { HitParts } from '../pipeline/hit-files.js';
import { conditionsHere } from '../pipeline/whole-index.js';
import type { Progress } from '../progress.js';
import { noHits, type PassageHits } from '../search/passage-hits.js';
import { writeAtomic } from '../store/atomic.js';
import { hashOnce } from '../store/hash-once.js';
import { readPlainText } from '../store/plain-file.js';
import type { Stage } from './graph.js';
import type { Known } from './known.js';
import type { RunFacts, SearchSettings } from './search.js';

export interface GivenRunFacts extends RunFacts {
  found: ForeignFacts;
  /** N. Behind them stand passages of the run that the collection does not have, where these are kept. */
  passages: number;
  /** Passages among the hits that the collection does not have. */
  unknown: number;
  /** Queries with more hits than were taken, and most hits that were taken of one. */
  longer: number;
  longest: number;
}

/** A file of hits. */
interface GivenFile {
  /** Its path. */
  file: string;
  /** The sha256 of it; of what else tells it from others where only its name is known. */
  key: string;
  /** The name of the system. */
  name: string;
}

interface GivenSettings extends Required<SearchSettings> {
  /**
   * Hits of passages that the collection does not have: `kept` in their places, as in a run that is measured, or `dropped` before the
   * list is cut, where other systems work with its passages.
   */
  unknown: 'kept' | 'dropped';
}

/** The ids of all passages by place, and those of the queries in the order of the hits. */
export const passageFile = (folder: string): string => path.join(folder, 'passages.ids');
const queryFile = (folder: string): string => path.join(folder, 'queries.txt');

/** No id holds white space. */
export const queryIdsIn = async (folder: string): Promise<string[]> =>
  (await readPlainText(queryFile(folder))).split('\n');

export function givenRun(
  { file, key: hash, name }: GivenFile,
  { split, depth, identicalIds, unknown }: GivenSettings,
  { dataset, code }: Known,
): Stage<GivenRunFacts> {
  return {
    name: 'read hits',
    kind: 'runs',
    version: 'given run 1',
    needs: {},
    inputs: () => ({
      ...{ dataset: dataset.identity, ...code('given run', { dataset }) },
      ...{ run: hash, split, depth, identicalIds, unknown },
    }),
    about: { dataset: dataset.name, system: name },
    async make(folder, { dataset, progress }, key) {
      const queries = await dataset.queries(split);
      const { run, found } = await readForeignRun(file, dataset, split);
      if ((await hashOnce(file)) !== hash) throw changedWhileRead(file);
      for (const [queryId, ranking] of run) assertScores(ranking, file, queryId);
      const { places, writer } = await placesOf(run, dataset, folder, progress);
      const { count: passages } = writer;
      const strangers = new Set<string>();
      const isHit = (queryId: string, passageId: string) => {
        if (identicalIds === 'dropped' && passageId === queryId) return false;
        if (unknown === 'kept' || places.get(passageId) !== undefined) return true;
        strangers.add(passageId);
        return false;
      };
      const { hits, longer } = hitsOf(run, queries, depth, isHit, (id) => placeOf(id, places, writer));
      if (hits.depth === 0 && strangers.size > 0) throw ofOthers(file, dataset, strangers);
      await writer.commit();
      const ids = queries.map(({ queryId }) => queryId);
      await writeAtomic(queryFile(folder), ids.join('\n'));
      const conditions = await conditionsHere(1);
      const made = { key, batchSize: 1, partQueries: Math.max(1, ids.length), conditions };
      const parts = await HitParts.open(folder, made, progress.note);
      if (parts.queries < ids.length) await parts.add([hits], 0);
      await parts.join();
      return {
        ...{ queries: ids.length, depth: parts.depth, searcher: 'none' },
        execution: { buildSeconds: 0, searchSeconds: 0, conditions },
        ...{ found, passages, longer, longest: hits.depth },
        unknown: unknown === 'kept' ? writer.count - passages : strangers.size,
      };
    },
  };
}

/** Place by id, of the passages that the run names; undefined where the collection has none of that id. */
type Places = Map<string, number | undefined>;

async function placesOf(
  run: Run,
  dataset: Dataset,
  folder: string,
  progress: Progress,
): Promise<{ places: Places; writer: IdentifierWriter }> {
  const places: Places = new Map();
  for (const { passageIds } of run.values()) for (const id of passageIds) places.set(id, undefined);
  const writer = new IdentifierWriter(passageFile(folder));
  const reading = progress.stage('passage ids', dataset.passageCount, 'passages');
  for await (const { passageId } of dataset.passages()) {
    const place = writer.append(passageId);
    if (places.has(passageId)) places.set(passageId, place);
    if (writer.count % 1000 !== 0) continue;
    progress.checkInterrupted();
    reading.update(writer.count);
  }
  reading.end();
  return { places, writer };
}

/** What the collection does not have gets a place behind it when it is met first. */
function placeOf(passageId: string, places: Places, writer: IdentifierWriter): number {
  const known = places.get(passageId);
  if (known !== undefined) return known;
  const place = writer.append(passageId);
  places.set(passageId, place);
  return place;
}

function ofOthers(file: string, { name }: Dataset, strangers: ReadonlySet<string>): BenchError {
  const [first] = strangers;
  return new BenchError('DATA_INVALID', `${file} has hits of none of the passages of ${name}.`, {
    hint: `Its passage ids look like '${first}': was another collection searched, or one that numbers them otherwise?`,
  });
}

function hitsOf(
  run: Run,
  queries: readonly Query[],
  depth: number,
  isHit: (queryId: string, passageId: string) => boolean,
  at: (passageId: string) => number,
): { hits: PassageHits; longer: number } {
  let longer = 0;
  const lists = queries.map(({ queryId }) => {
    const { passageIds } = run.get(queryId)!;
    const own = [...passageIds.keys()].filter((hit) => isHit(queryId, passageIds[hit]!));
    if (own.length > depth) longer++;
    return own.slice(0, depth);
  });
  const hits = noHits(
    queries.length,
    lists.reduce((most, { length }) => Math.max(most, length), 0),
  );
  for (const [q, own] of lists.entries()) {
    const { passageIds, scores } = run.get(queries[q]!.queryId)!;
    hits.counts[q] = own.length;
    for (const [i, hit] of own.entries()) {
      hits.ordinals[q * hits.depth + i] = at(passageIds[hit]!);
      hits.scores[q * hits.depth + i] = scores![hit]!;
    }
  }
  return { hits, longer };
}
