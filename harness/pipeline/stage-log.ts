/** Times the stages of a run for its record. */
import type { StageFacts } from '../record.js';
import type { Artifact } from '../store/store.js';

export class StageLog {
  readonly stages: StageFacts[] = [];

  /** Runs a stage that leaves an artifact. */
  async artifact<Facts>(name: string, make: () => Promise<Artifact<Facts>>): Promise<Artifact<Facts>> {
    const started = performance.now();
    const artifact = await make();
    this.#add(name, artifact.key, artifact.cached, started);
    return artifact;
  }

  /** Runs a stage that leaves nothing in the cache. */
  async plain<T>(name: string, work: () => Promise<T>): Promise<T> {
    const started = performance.now();
    const result = await work();
    this.#add(name, null, false, started);
    return result;
  }

  /** Whether every artifact was found made. */
  get cached(): boolean {
    return this.stages.every(({ key, execution }) => key === null || execution.cached);
  }

  #add(name: string, key: string | null, cached: boolean, started: number): void {
    const seconds = (performance.now() - started) / 1000;
    const peakMemoryBytes = process.resourceUsage().maxRSS * 1024;
    this.stages.push({ name, key, execution: { cached, seconds, peakMemoryBytes } });
  }
}
