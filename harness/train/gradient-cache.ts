/**
 * A training step whose memory is bounded by a chunk of the batch, not by the batch (Gao et al. 2021, GradCache): encode
 * every chunk without gradients; the loss and its gradient with respect to the vectors; encode every chunk again, with
 * the same dropout masks, and pull its vectors' gradient through. A chunk holds texts of about one length (chunks.ts); loss and
 * gradients are those of the batch in its own order.
 */
import type { Tensor } from '../contracts.js';
import type { DropoutSite } from '../model/encoder.js';
import type { ArraySpec, NumericArray, Program } from '../tensor/engine.js';
import { RowSums, rowSumsSize, summedRows } from '../tensor/look-up.js';
import * as tf from '../tensor/operations.js';
import { ProgramCache } from '../tensor/program-cache.js';
import type { Batch } from './batches.js';
import { type Chunk, chunksOf, inPlaces, ofChunk, sideOf } from './chunks.js';
import { clearGradients } from './clear-gradients.js';
import type { MaskDraw } from './dropout-masks.js';
import { GradientRows } from './gradient-rows.js';
import { lossOfVectors } from './loss-of-vectors.js';
import { type MaskFeeds, maskFeeds } from './mask-feeds.js';
import { groupKey, pieceGroups } from './piece-groups.js';
import {
  parameterSpecs,
  refuseTexts,
  resultOf,
  type StepComputer,
  type StepContext,
  type StepResult,
  sitesOf,
  squaredNorm,
  Taker,
  textSpecs,
} from './step.js';
import { productsIn } from './step-precision.js';
import { programMemory, textsOfChunk } from './training-memory.js';

interface CutBatch {
  batch: Batch;
  queries: Chunk[];
  passages: Chunk[];
  /** In the order in which they are encoded. */
  chunks: Chunk[];
}

export class GradientCache implements StepComputer {
  /**
   * A step goes through all its programs in a cycle: of either side one for encoding and one for the backward pass for each length, and
   * once more where a last chunk has fewer texts. Of a smaller cache every one would be thrown out just before it comes again.
   */
  readonly #programs = new ProgramCache(64);
  readonly masks: MaskFeeds;
  /** By backward program, which of its outputs is sums of rows of a table: -1 where none is. */
  readonly #tables = new Map<string, number>();
  readonly #rows: GradientRows;
  /** What comes after the present step, where masks are drawn ahead. */
  #next: CutBatch | undefined;

  /** @param chunkSize most texts of a chunk, queries or passages: what is in memory at once, whatever the negatives */
  constructor(
    readonly context: StepContext,
    readonly chunkSize: number,
  ) {
    this.masks = maskFeeds(context.engine);
    this.#rows = new GradientRows(context.gradients);
  }

  async compute(batch: Batch, step: number, lossScale = 1, next?: Batch): Promise<StepResult> {
    const cut = this.#next?.batch === batch ? this.#next : this.#cut(batch);
    const { queries, passages, chunks } = cut;
    for (const { places, tokens } of chunks) refuseTexts(this.context, places.length, tokens);
    const masks = this.masks.ofStep(this.#draws(cut, step));
    this.#next = next && this.masks.drawsAhead ? this.#cut(next) : undefined;
    if (this.#next !== undefined) this.masks.ahead(this.#draws(this.#next, step + 1));
    const vectors: Float32Array[] = [];
    const present: Float32Array[] = [];
    for (const [i, chunk] of chunks.entries()) {
      const [encoded, exists] = await this.#encode(chunk, await masks[i]!());
      vectors.push(encoded!);
      if (exists !== undefined) present.push(exists);
    }
    const loss = await lossOfVectors(this.context, this.#programs, batch, {
      queries: inPlaces(queries, vectors.slice(0, queries.length)),
      passages: inPlaces(passages, vectors.slice(queries.length)),
      present: inPlaces(passages, present),
      lossScale,
    });
    await clearGradients(this.context, this.#programs);
    for (const [i, chunk] of chunks.entries()) {
      const upstream = chunk.side === 'query' ? loss.queries : loss.passages;
      const perText = vectors[i]!.length / chunk.places.length;
      const own = ofChunk(chunk, upstream, sideOf(chunk.side, batch).texts, perText);
      await this.#pull(chunk, await masks[i]!(), own);
    }
    loss.numbers[loss.numbers.length - 1] = await this.#squaredNorm();
    return resultOf(loss.numbers, this.context, lossScale);
  }

  #cut(batch: Batch): CutBatch {
    const { encoder, readsPadding } = this.context.retriever;
    const most = this.#textsOfChunk(batch);
    const queries = chunksOf('query', batch, most, encoder);
    const passages = chunksOf('passage', batch, most, encoder, readsPadding);
    return { batch, queries, passages, chunks: [...queries, ...passages] };
  }

  #draws({ batch, chunks }: CutBatch, step: number): MaskDraw[] {
    return chunks.map((chunk) => ({
      sites: this.#sites(chunk),
      drawnFor: sitesOf(this.context, chunk.places.length, sideOf(chunk.side, batch).tokens),
      ...{ seed: this.context.seed, step, side: chunk.side, places: chunk.places },
    }));
  }

  #textsOfChunk({ queryTokens, passageTokens }: Batch): (tokens: number) => number {
    const longest = Math.max(queryTokens, passageTokens);
    const memory = programMemory(this.context.engine);
    return (tokens) => textsOfChunk(this.chunkSize, tokens, longest, memory);
  }

  #sites({ places, tokens }: Chunk): readonly DropoutSite[] {
    return sitesOf(this.context, places.length, tokens);
  }

  #specsOf(chunk: Chunk): ArraySpec[] {
    const texts = textSpecs(this.context.retriever.encoder, chunk.places.length, chunk.tokens);
    return [...texts, ...this.masks.specs(this.#sites(chunk))];
  }

  /** The vectors of a chunk: [B, D], or [P, M, D] and which of them exist, [P, M]. */
  #vectors(chunk: Chunk, weights: readonly Tensor[], taker: Taker, sums?: RowSums): Tensor[] {
    const { retriever } = this.context;
    const input = { ...taker.input(), ...(sums && { plan: sums }) };
    const sites = this.#sites(chunk);
    const keep = this.masks.keep(taker.take(sites.length), sites);
    if (chunk.side === 'query') return [retriever.queryVectors(weights, input, keep)];
    const { vectors, present } = retriever.passages(weights, input, keep);
    return [vectors, present ?? tf.ones(vectors.shape.slice(0, 2))];
  }

  async #encode(chunk: Chunk, masks: NumericArray[]): Promise<Float32Array[]> {
    const { engine, retriever, parameters } = this.context;
    const count = retriever.parameters.length;
    const program = await this.#programs.get(`encode ${shapeOf(chunk)}`, () =>
      engine.compile(
        (inputs) => {
          const taker = new Taker(inputs);
          return this.#vectors(chunk, taker.take(count), taker);
        },
        [...parameterSpecs(retriever), ...this.#specsOf(chunk)],
        { name: `encoding a chunk (${chunk.side})`, ...productsIn(this.context) },
      ),
    );
    return (await program.run([...parameters.variables, ...chunk.feeds, ...masks])) as Float32Array[];
  }

  /** Adds what a chunk's vectors contribute to the gradient of the encoder's parameters. */
  async #pull(chunk: Chunk, masks: NumericArray[], upstream: Float32Array): Promise<void> {
    const { engine, retriever, parameters, gradients } = this.context;
    const owner = retriever.tied ? 'encoder' : chunk.side;
    const trained = retriever.parameters.flatMap((parameter, i) => (parameter.owner === owner ? [i] : []));
    const places = new Map(trained.map((parameter, j) => [parameter, j]));
    const specs = this.#specsOf(chunk);
    const all = parameterSpecs(retriever);
    const key = `pull ${shapeOf(chunk)}`;
    const lookUps = chunk.places.length * chunk.tokens;
    const { areHere } = this.#rows;
    const program: Program = await this.#programs.get(key, () => {
      const texts = chunk.places.length;
      const shape = [texts, upstream.length / texts];
      const inputs: ArraySpec[] = [
        ...all,
        ...trained.map((i) => all[i]!),
        ...specs,
        { shape, dtype: 'float32' },
        ...(areHere ? [{ shape: [rowSumsSize(lookUps)], dtype: 'int32' } as const] : []),
      ];
      return engine.compile(
        (tensors) => {
          const weights = tensors.slice(0, all.length);
          const before = tensors.slice(all.length, all.length + trained.length);
          const rest = tensors.slice(all.length + trained.length);
          const [given, order] = rest.slice(specs.length);
          const gradientsOf = (sums?: RowSums) =>
            tf.valueAndGrads((...chosen: Tensor[]) => {
              const replaced = [...weights];
              for (const [j, i] of trained.entries()) replaced[i] = chosen[j]!;
              const [vectors] = this.#vectors(chunk, replaced, new Taker(rest), sums);
              return tf.sum(tf.mul(tf.reshape(vectors!, given!.shape), given!)) as tf.Scalar;
            })(trained.map((i) => weights[i]!)).grads;
          const added = (grads: Tensor[]) => grads.map((gradient, j) => tf.add(before[j]!, gradient));
          if (order === undefined) return added(gradientsOf());
          const sums = new RowSums(new Taker(rest).input().plan, order as tf.Tensor1D);
          const grads = gradientsOf(sums);
          const table = grads.findIndex((gradient) => sums.of(gradient) !== undefined);
          this.#tables.set(key, table);
          if (table === -1) return added(gradientsOf());
          return added(grads).with(table, sums.of(grads[table]!)!);
        },
        inputs,
        {
          name: `backward of a chunk (${chunk.side})`,
          ...productsIn(this.context, (parameter) => places.get(parameter)),
        },
      );
    });
    const sums = trained.map((i) => gradients.variables[i]!);
    const feeds = [...parameters.variables, ...sums, ...chunk.feeds, ...masks, upstream];
    if (!areHere) {
      await program.run(feeds, sums);
      return;
    }
    const { vocabularySize } = retriever.encoder;
    const summed = summedRows(chunk.feeds[2] as Int32Array, lookUps, vocabularySize);
    const table = this.#tables.get(key)!;
    const into = sums.map((variable, j) => (j === table ? undefined : variable));
    const given = await program.run([...feeds, summed.places], into);
    if (table !== -1) this.#rows.add(trained[table]!, summed, given[table] as Float32Array);
  }

  async #squaredNorm(): Promise<number> {
    const { engine, gradients } = this.context;
    let sum = 0;
    for (const group of pieceGroups(engine, gradients, 0, gradients.variables.length)) {
      const specs = group.map(({ size }): ArraySpec => ({ shape: [size], dtype: 'float32' }));
      const program = await this.#programs.get(`norm ${groupKey(group)}`, () =>
        engine.compile((pieces) => [squaredNorm(pieces)], specs, { name: 'norm' }),
      );
      const [square] = await program.run(group);
      sum += square![0]!;
    }
    return sum;
  }

  async dispose(): Promise<void> {
    await Promise.all([this.#programs.dispose(), this.masks.dispose()]);
  }
}

/** What a chunk's programs are made for. */
const shapeOf = ({ side, places, tokens }: Chunk): string => `${side} ${places.length}x${tokens}`;
