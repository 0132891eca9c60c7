/** Two encoders and an architecture: everything that is trained together, as pure functions of its weights. */
import type {
  ArchitectureFamily,
  PassageVectors,
  Pooling,
  ResolvedArchitecture,
  Tensor,
  Tensor2D,
} from '../contracts.js';
import { unitLength } from '../tensor/layers.js';
import type { DropoutSite, Encoder, EncoderInput, Parameter } from './encoder.js';
import type { VectorModel } from './vector-encoder.js';

/** An architecture by its command line name, checked against an encoder. */
export interface Architecture {
  /** `mlr-sc` */
  name: string;
  familyName: string;
  family: ArchitectureFamily;
  poolingName?: string;
  pooling?: Pooling;
  resolved: ResolvedArchitecture;
}

/** Whose weight it is: `encoder` where queries and passages share one. */
export type Owner = 'encoder' | 'passage' | 'query' | 'pooling';

export interface RetrieverParameter extends Parameter {
  owner: Owner;
}

export class Retriever implements VectorModel {
  /** All trained arrays; those with weight decay come first. */
  readonly parameters: readonly RetrieverParameter[];
  /** How many of them have weight decay. */
  readonly decayed: number;
  readonly #place = new Map<string, number>();

  /**
   * @param encoder the shape of both encoders, which start from one checkpoint
   * @param tied whether queries and passages share one encoder
   */
  constructor(
    readonly encoder: Encoder,
    readonly tied: boolean,
    readonly architecture: Architecture,
  ) {
    const { pooling, resolved } = architecture;
    const owners: Owner[] = tied ? ['encoder'] : ['passage', 'query'];
    const all: RetrieverParameter[] = owners.flatMap((owner) =>
      encoder.parameters.map((parameter) => ({ ...parameter, owner })),
    );
    for (const { name, shape } of pooling?.parameters?.(resolved) ?? []) {
      all.push({ name, shape, decay: true, owner: 'pooling' });
    }
    this.parameters = [...all.filter(({ decay }) => decay), ...all.filter(({ decay }) => !decay)];
    this.decayed = all.filter(({ decay }) => decay).length;
    for (const [i, { owner, name }] of this.parameters.entries()) this.#place.set(`${owner}/${name}`, i);
  }

  get dimensions(): number {
    return this.encoder.shape.dimensions;
  }

  get paddingId(): number {
    return this.encoder.paddingId;
  }

  /** M as the index keeps it: one where vectors are pooled, 'varies' where a passage can have fewer than others. */
  get indexedVectors(): number | 'varies' {
    const { pooling, resolved } = this.architecture;
    if (pooling !== undefined) return 1;
    return resolved.maskShort === undefined ? resolved.vectors : 'varies';
  }

  /** Whether a passage's vectors depend on how far it is padded: those of ME-BERT do where `arch.maskShort` is off. */
  get readsPadding(): boolean {
    return this.architecture.resolved.maskShort === false;
  }

  /** Index of a parameter in `parameters`. */
  indexOf(owner: Owner, name: string): number {
    const index = this.#place.get(`${owner}/${name}`);
    if (index === undefined) throw new Error(`no parameter ${name} of ${owner}`);
    return index;
  }

  #weightsOf(side: 'passage' | 'query', weights: readonly Tensor[]): Tensor[] {
    const owner = this.tied ? 'encoder' : side;
    return this.encoder.parameters.map(({ name }) => weights[this.indexOf(owner, name)]!);
  }

  /** The pooling's own trained tensors. */
  poolingWeights(weights: readonly Tensor[]): Tensor[] {
    const { pooling, resolved } = this.architecture;
    return (pooling?.parameters?.(resolved) ?? []).map(({ name }) => weights[this.indexOf('pooling', name)]!);
  }

  dropoutSites(batch: number, tokens: number): readonly DropoutSite[] {
    return this.encoder.dropoutSites(batch, tokens);
  }

  /** How vectors are compared. */
  get similarity(): 'dot' | 'cosine' {
    return this.architecture.resolved.similarity ?? 'dot';
  }

  /** What is searched with: of length 1 where vectors are compared by cosine. @param weights one tensor per parameter @returns [B, D] */
  queries(weights: readonly Tensor[], input: EncoderInput): Tensor2D {
    const vectors = this.queryVectors(weights, input);
    return this.similarity === 'cosine' ? unitLength(vectors) : vectors;
  }

  /** h_q, as training sees it: the last layer's summary. @returns [B, D] */
  queryVectors(weights: readonly Tensor[], input: EncoderInput, keep?: readonly Tensor[]): Tensor2D {
    const states = this.encoder.states(this.#weightsOf('query', weights), input, keep);
    return states.summary(this.encoder.shape.layers);
  }

  /** E(d), as training sees it before any pooling. */
  passages(weights: readonly Tensor[], input: EncoderInput, keep?: readonly Tensor[]): PassageVectors {
    const states = this.encoder.states(this.#weightsOf('passage', weights), input, keep);
    return this.architecture.family.represent(states, this.architecture.resolved);
  }

  /** The vectors that are stored and searched: pooled, then of length 1 where they are compared by cosine. */
  searched(weights: readonly Tensor[], input: EncoderInput): PassageVectors {
    const { pooling } = this.architecture;
    const all = this.passages(weights, input);
    const passages = pooling === undefined ? all : pooling.pool(all, this.poolingWeights(weights));
    return this.similarity === 'cosine' ? { ...passages, vectors: unitLength(passages.vectors) } : passages;
  }
}
