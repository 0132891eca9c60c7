/** The paper's figure: building and searching the whole index, over the number of queries. */
import { describeMachine } from '../record.js';

/** The conditions under which something was computed; it may be found in the cache long after, elsewhere. */
export interface Conditions {
  cpu: string;
  /** Null stands for as many as the library takes. */
  threads: number | null;
}

export async function conditionsHere(threads: number | null): Promise<Conditions> {
  return { cpu: (await describeMachine()).machine.cpu, threads };
}

export interface Timed {
  seconds: number;
  conditions?: Conditions | undefined;
}

export interface WholeIndexTime {
  /** Absent where it was not measured as the rest of the record is. */
  secondsPerQuery?: number;
  /** Why it is absent. */
  warnings: readonly string[];
}

/** @param work what has to be added up, by name, with how it should have been computed */
export function wholeIndexTime(
  queries: number,
  work: Readonly<Record<string, { timed: Timed; wanted: Conditions }>>,
): WholeIndexTime {
  const warnings: string[] = [];
  let seconds = 0;
  for (const [name, { timed, wanted }] of Object.entries(work)) {
    const was = timed.conditions;
    const threads = (count: number | null) => `threads ${count ?? 'as many as it takes'}`;
    const reasons =
      was === undefined
        ? ['which does not say how long it took, or on what']
        : [
            ...(was.cpu === wanted.cpu ? [] : [`made on ${was.cpu}, not ${wanted.cpu}`]),
            ...(was.threads === wanted.threads
              ? []
              : [`made with ${threads(was.threads)}, not ${threads(wanted.threads)}`]),
          ];
    if (reasons.length > 0)
      warnings.push(
        `No seconds for building and searching the whole index: the ${name} is from the cache, ${reasons.join(' and ')}.`,
      );
    seconds += timed.seconds;
  }
  return warnings.length > 0 ? { warnings } : { secondsPerQuery: seconds / queries, warnings };
}
