/** What settings ask of processes of their own: rounds in fresh ones, one thread, cold starts. */
import type { Query } from '../contracts.js';
import { type SystemLatency, summarizeLatency } from '../latency/latency.js';
import type { Progress } from '../progress.js';
import type { ColdFacts, LatencyFacts } from '../record.js';
import type { Cell, NamedCell } from './cell.js';
import { type FreshFigures, timeInProcess } from './fresh-process.js';

export interface FreshFacts {
  /** Where there are several rounds in fresh processes: of all of them together. */
  singles?: SystemLatency;
  oneThread?: NonNullable<LatencyFacts['oneThread']>;
  cold?: readonly ColdFacts[];
}

type Warm = FreshFigures & { state: 'warm' };

/**
 * Processes one after another, while nothing of this one is open: the systems of a turn together, those that start cold each by
 * itself.
 * @returns of every cell what was asked for, or why it cannot be told
 * @throws BenchError INTERRUPTED
 */
export async function timeFresh(
  turn: readonly NamedCell[],
  queries: readonly Query[],
  progress: Progress,
): Promise<Map<Cell, FreshFacts | Error>> {
  const { request, rereads } = turn[0]!.cell;
  const { processes, oneThread, cold, warmup } = request.config.latency;
  const order = {
    openings: turn.map(({ cell }) => cell.opening),
    names: turn.map(({ name }) => name),
    ...{ queries, warmup: rereads ? 0 : warmup, rereads, cold: false },
  };
  const rounds = processes > 1 ? processes : 0;
  const starts = rounds + (oneThread ? 1 : 0) + (cold ? processes * turn.length : 0);
  const told = new Tellings(turn);
  if (starts === 0) return told.all();
  const stage = progress.stage('fresh processes', starts, 'processes');
  let done = 0;
  for (let round = 0; round < rounds; round++) {
    const systems = await timeInProcess({ ...order, seed: request.seed + round }, progress);
    for (const [s, system] of systems.entries()) told.add(s, 'rounds', system);
    stage.update(++done);
  }
  if (oneThread) {
    const systems = await timeInProcess({ ...order, seed: request.seed, threads: 1 }, progress);
    for (const [s, system] of systems.entries()) told.add(s, 'oneThread', system);
    stage.update(++done);
  }
  // Round by round, so that what else the machine does hits all alike.
  for (let round = 0; cold && round < processes; round++) {
    for (const [s, { name, cell }] of turn.entries()) {
      const own = { ...order, openings: [cell.opening], names: [name], cold: true };
      const [system] = await timeInProcess({ ...own, seed: request.seed }, progress);
      told.add(s, 'cold', system!);
      stage.update(++done);
    }
  }
  stage.end();
  return told.all();
}

/** What was told of each system so far; one that has failed once has failed. */
class Tellings {
  readonly #failed: (Error | undefined)[];
  readonly #rounds: Warm[][];
  readonly #oneThread: (Warm | undefined)[];
  readonly #cold: ColdFacts[][];

  constructor(readonly turn: readonly NamedCell[]) {
    this.#failed = turn.map(() => undefined);
    this.#rounds = turn.map(() => []);
    this.#oneThread = turn.map(() => undefined);
    this.#cold = turn.map(() => []);
  }

  add(s: number, to: 'rounds' | 'oneThread' | 'cold', system: FreshFigures | Error): void {
    if (system instanceof Error) this.#failed[s] ??= system;
    else if (system.state === 'cold') {
      const { state: _, ...facts } = system;
      this.#cold[s]!.push(facts);
    } else if (to === 'oneThread') this.#oneThread[s] = system;
    else this.#rounds[s]!.push(system);
  }

  all(): Map<Cell, FreshFacts | Error> {
    return new Map<Cell, FreshFacts | Error>(
      this.turn.map(({ name, cell }, s) => {
        const failed = this.#failed[s];
        if (failed !== undefined) return [cell, failed];
        const { seed } = cell.request;
        const rounds = this.#rounds[s]!;
        const alone = this.#oneThread[s];
        const cold = this.#cold[s]!;
        const facts: FreshFacts = {
          ...(rounds.length > 0 && { singles: togetherOf(name, rounds, seed) }),
          ...(alone && { oneThread: oneThreadOf(togetherOf(name, [alone], seed)) }),
          ...(cold.length > 0 && { cold }),
        };
        return [cell, facts];
      }),
    );
  }
}

function oneThreadOf({ parts, total }: SystemLatency): NonNullable<LatencyFacts['oneThread']> {
  return { ...parts, total };
}

/** The samples of each process behind those of the ones before it. */
function togetherOf(name: string, rounds: readonly Warm[], seed: number): SystemLatency {
  const names = Object.keys(rounds[0]!.partsMs);
  const samples = names.map((part) => Float64Array.from(rounds.flatMap(({ partsMs }) => partsMs[part]!)));
  const total = new Float64Array(samples[0]!.length);
  for (const part of samples) for (const [i, ms] of part.entries()) total[i]! += ms;
  return {
    name,
    parts: Object.fromEntries(names.map((part, p) => [part, summarizeLatency(samples[p]!, { seed })])),
    total: summarizeLatency(total, { seed }),
    warnings: [...new Set(rounds.flatMap(({ warnings }) => warnings))],
  };
}
