/** How a task comes to the artifacts of its run: it makes what is its own, takes what is there, and names what it waits for. */
import {
  conditionsOf,
  inputKey,
  inputsOf,
  makeHere,
  type Pieces,
  type Stage,
  type StageMaking,
  type Workplace,
} from '../stages/graph.js';
import { keyOf } from '../store/hash.js';
import { isFinished } from '../store/manifest.js';
import { removeUnlocked } from '../store/prune.js';
import type { Artifact, Inputs } from '../store/store.js';
import { titleOf } from '../sweep/cell-lines.js';
import { type Task, taskBeside } from './task.js';

/** Ends the work on a task: others are to be done before. */
export class Waits extends Error {
  constructor(readonly tasks: readonly Task[]) {
    super(`waits for ${tasks.map(({ title }) => title).join('; ')}`);
    this.name = 'Waits';
  }
}

/** Ends the work on a task: its artifact, or its piece of one, is there. */
export class Finished extends Error {
  override name = 'Finished';
}

/** The key of one piece of an artifact. */
const pieceInputs = ({ version }: Stage, key: string, piece: number, pieces: Pieces): Inputs => ({
  ...{ made: `piece of ${version}`, of: key, piece, pieces: pieces.count },
  ...pieces.inputs?.(piece),
});

/** What a stage needs, not under its lock, where whoever makes another piece would wait. */
async function madeBefore({ needs }: Stage, at: Workplace, which: (need: Stage) => boolean): Promise<void> {
  for (const need of Object.values(needs))
    if (need !== undefined && 'make' in need && which(need)) await at.made(need);
}

export class Sharing implements StageMaking {
  constructor(readonly task: Task) {}

  /** @throws Waits, Finished */
  async artifact<Facts>(stage: Stage<Facts>, at: Workplace): Promise<Artifact<Facts>> {
    const key = inputKey(stage);
    const isOwn = key === this.task.artifact;
    if (await at.store.has(stage.kind, key)) {
      if (isOwn) throw new Finished();
      return makeHere.artifact(stage, at);
    }
    if (stage.task === undefined) {
      await madeBefore(stage, at, ({ task }) => task !== undefined);
      return makeHere.artifact(stage, at);
    }
    if (stage.pieces !== undefined) {
      // Whole in this cache, though not in the store behind it: it is put there, and no piece is made.
      if (await isFinished(at.store.folderOf(stage.kind, key))) {
        const found = await makeHere.artifact(stage, at);
        if (isOwn) throw new Finished();
        return found;
      }
      // Once for all pieces.
      await madeBefore(stage, at, () => true);
      const pieces = await stage.pieces(at, key);
      if (pieces === undefined) return makeHere.artifact(stage, at);
      return this.#pieced(stage, key, pieces, isOwn, at);
    }
    if (!isOwn) throw new Waits([taskOf(this.task, stage, key, key)]);
    await makeHere.artifact(stage, at);
    throw new Finished();
  }

  async #pieced<Facts>(
    stage: Stage<Facts>,
    key: string,
    pieces: Pieces,
    isOwn: boolean,
    at: Workplace,
  ): Promise<Artifact<Facts>> {
    const { store } = at;
    const inputsOfPiece = (piece: number) => pieceInputs(stage, key, piece, pieces);
    const made = (piece: number) => {
      const make = async (folder: string) => {
        // Made, joined and removed while this one waited.
        if (isOwn && (await store.has(stage.kind, key))) throw new Finished();
        await store.hashes.during(() => pieces.make(folder, piece));
        return {};
      };
      return store.artifact(stage.kind, inputsOfPiece(piece), make, stage.about);
    };
    if (isOwn) {
      await made(this.task.piece!);
      throw new Finished();
    }
    const missing: Task[] = [];
    for (let piece = 0; piece < pieces.count; piece++) {
      if (!(await store.has(stage.kind, keyOf(inputsOfPiece(piece)))))
        missing.push(taskOf(this.task, stage, key, keyOf(inputsOfPiece(piece)), piece, pieces));
    }
    if (missing.length > 0) throw new Waits(missing);
    const whole = await store.artifact(
      stage.kind,
      inputsOf(stage),
      async (folder, own) => {
        for (let piece = 0; piece < pieces.count; piece++) {
          await pieces.join(folder, (await made(piece)).folder, piece);
        }
        return store.hashes.during(() => stage.make(folder, at, own));
      },
      stage.about,
      { ...conditionsOf(at), inPieces: true },
    );
    // Nobody asks for them any more, and a second look at them would count the disk twice. Of a store behind the cache only what lies here goes.
    for (let piece = 0; piece < pieces.count; piece++) {
      const left = store.folderOf(stage.kind, keyOf(inputsOfPiece(piece)));
      // What cannot go (another reads it, or removes it too) stays, and the whole is there all the same.
      if (await isFinished(left)) await removeUnlocked(left).catch(() => undefined);
    }
    return whole;
  }
}

/** The tasks that a stage is made by: one for each of its pieces, or one. Of the same sweep as `cell`, and for its run. */
export function tasksOf(cell: Task, stage: Stage, pieces: Pieces | undefined): Task[] {
  const key = inputKey(stage);
  if (pieces === undefined) return [taskOf(cell, stage, key, key)];
  return Array.from({ length: pieces.count }, (_, piece) =>
    taskOf(cell, stage, key, keyOf(pieceInputs(stage, key, piece, pieces)), piece, pieces),
  );
}

/** @param left the key of what it leaves */
function taskOf(of: Task, stage: Stage, artifact: string, left: string, piece = 0, pieces?: Pieces): Task {
  const which = pieces === undefined || pieces.count === 1 ? '' : ` ${pieces.nameOf(piece)}`;
  return taskBeside(of, {
    kind: stage.task!,
    title: `${stage.name}${which}, ${titleOf(of.request)}`,
    request: of.request,
    artifact,
    leaves: { kind: stage.kind, key: left },
    ...(pieces && { piece }),
  });
}
