/** What a run record says of a process that did nothing but open the system and answer queries. */

/** A number, or null with the reason why there is none; 0 is a number. */
export interface Figure {
  readonly value: number | null;
  /** Of no number: what the machine does not tell, or that it was turned off. */
  readonly reason?: string;
}

export interface AnsweringFacts {
  /** Why nothing was measured; then `costs` is empty. */
  readonly notMeasured?: string;
  /** Answered one at a time while the figures were taken, and those before, to warm up. */
  readonly queries?: number;
  readonly warmup?: number;
  /** From the start of the process until the system was open. */
  readonly openSeconds?: number;
  /** While the figures were taken. */
  readonly seconds?: number;
  /** By id of the column: `memory-bytes`. */
  readonly costs: Readonly<Record<string, Figure>>;
}

/** The figure that a meter gave; none of a record that does not say, and with the reason where nothing was measured. */
export function answeringFigure({ answering }: { readonly answering?: AnsweringFacts }, id: string): Figure {
  if (answering?.notMeasured !== undefined) return { value: null, reason: answering.notMeasured };
  return answering?.costs[id] ?? { value: null };
}
