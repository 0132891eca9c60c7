/** Times the stages of a run for its record. */
import type { Code } from '../program/code.js';
import type { MakingFacts, StageFacts, UsedFacts } from '../record.js';
import type { StageMaking } from '../stages/graph.js';
import type { Artifact, Making, Store } from '../store/store.js';

export class StageLog {
  readonly stages: StageFacts[] = [];
  #seen: number;

  /**
   * @param store where the stages leave their artifacts
   * @param told of each stage
   * @param making how stages come to their artifacts; they are made here where absent
   */
  constructor(
    readonly store: Pick<Store, 'used'>,
    readonly told: (stage: StageFacts) => void = () => undefined,
    readonly making?: StageMaking,
  ) {
    this.#seen = store.used.length;
  }

  /** A log of the stages of a system that this one's is put together of: they stand here too, under its name. */
  of(system: string): StageLog {
    const told = (stage: StageFacts) => {
      this.#keep({ ...stage, name: `${system}: ${stage.name}` });
      this.#seen = this.store.used.length;
    };
    return new StageLog(this.store, told, this.making);
  }

  /** Runs a stage that leaves an artifact. */
  async artifact<Facts>(name: string, make: () => Promise<Artifact<Facts>>): Promise<Artifact<Facts>> {
    const started = performance.now();
    const artifact = await make();
    this.#add(name, artifact, started);
    return artifact;
  }

  /** Runs a stage that leaves nothing in the cache. @param code that decides its result */
  async plain<T>(name: string, work: () => Promise<T>, code?: Code): Promise<T> {
    const started = performance.now();
    const result = await work();
    this.#add(name, { key: null, cached: false, ...(code && { code }) }, started);
    return result;
  }

  /** Stages whose artifacts were found made. */
  get found(): string[] {
    return this.stages.filter(({ execution }) => execution.cached).map(({ name }) => name);
  }

  /** Whether every artifact was found made. */
  get cached(): boolean {
    return this.stages.every(({ key, execution }) => key === null || execution.cached);
  }

  #add(
    name: string,
    { key, cached, code, made }: Pick<Artifact<unknown>, 'cached' | 'code' | 'made'> & { key: string | null },
    started: number,
  ): void {
    const seconds = (performance.now() - started) / 1000;
    const peakMemoryBytes = process.resourceUsage().maxRSS * 1024;
    const uses = this.#usesSince(key);
    this.#keep({
      name,
      key,
      ...(code && { code }),
      execution: {
        cached,
        seconds,
        peakMemoryBytes,
        ...(made && { made: makingFacts(made) }),
        ...(uses.length > 0 && { uses }),
      },
    });
  }

  #keep(stage: StageFacts): void {
    this.stages.push(stage);
    this.told(stage);
  }

  /** Artifacts asked for since the stage before, each once, that of the stage itself left out. */
  #usesSince(own: string | null): UsedFacts[] {
    const { used } = this.store;
    const byKey = new Map(used.slice(this.#seen).map((each) => [each.key, each]));
    this.#seen = used.length;
    return [...byKey.values()]
      .filter(({ key }) => key !== own)
      .map(({ kind, key, code, made }) => ({
        kind,
        key,
        ...(code && { code }),
        ...(made && { made: makingFacts(made) }),
      }));
  }
}

const makingFacts = ({ madeAt, benchVersion, git, took }: Making): MakingFacts => ({
  ...{ madeAt, benchVersion, git },
  ...(took && { took }),
});
