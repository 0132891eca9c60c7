/** The ids that measures are asked for by: `ndcg@10`. */
import { BenchError, nearestName } from '../errors.js';
import type { Measure, MeasureFamily } from './measure.js';

/** A family by its name, which stands before the `@`. */
export interface NamedFamily extends MeasureFamily {
  readonly name: string;
}

/** The measures that there are, in the order in which they are listed. */
export class Measures {
  constructor(readonly families: readonly NamedFamily[]) {}

  /** The ids as a person would write them, for lists and hints: `mrr`, `mrr@k`, `p@k`. */
  forms(): string[] {
    return this.families.flatMap(({ name, cut }) =>
      cut === 'optional' ? [name, `${name}@k`] : [`${name}@k`],
    );
  }

  /**
   * The id that a measure goes by here, whatever it was written as: `ndcg@10` of `nDCG@10`, `mrr@10` of `RR@10`. What is not
   * known comes back as it is.
   */
  id(name: string): string {
    const parsed = this.#parse(name);
    return typeof parsed === 'string' ? name : parsed.id;
  }

  /**
   * Turns ids into measures, without repetitions, in the order given.
   * @throws BenchError UNKNOWN_NAME that lists every id at fault, each with the id it was probably meant to be
   */
  parse(ids: readonly string[]): Measure[] {
    const measures = new Map<string, Measure>();
    const faults: string[] = [];
    for (const id of ids) {
      const parsed = this.#parse(id);
      if (typeof parsed === 'string') faults.push(parsed);
      else measures.set(parsed.id, parsed);
    }
    if (faults.length > 0) {
      throw new BenchError('UNKNOWN_NAME', faults.join('\n'), {
        hint: `Measures: ${this.forms().join(', ')}; k is a whole number from 1, as in ndcg@10.`,
      });
    }
    return [...measures.values()];
  }

  /** The measure, or what is wrong with its id. */
  #parse(id: string): Measure | string {
    const at = id.indexOf('@');
    const name = at < 0 ? id : id.slice(0, at);
    const cutText = at < 0 ? undefined : id.slice(at + 1);
    const family = this.#named(name);
    if (family === undefined) {
      const meant = this.#meantBy(id, name, cutText);
      return `There is no measure '${id}'.${meant === undefined ? '' : ` Did you mean '${meant}'?`}`;
    }
    if (cutText === undefined) {
      if (family.cut === 'required') return `Measure '${id}' needs a cut-off. Did you mean '${id}@10'?`;
      return measureOf(family, undefined);
    }
    const cut = Number(cutText);
    if (!/^[1-9]\d*$/.test(cutText) || !Number.isSafeInteger(cut)) {
      return `The cut-off of measure '${id}' must be a whole number from 1, not '${cutText}'.`;
    }
    return measureOf(family, cut);
  }

  /** By its name or what the field calls it, whatever the case: `nDCG`, `RR`. */
  #named(name: string): NamedFamily | undefined {
    const small = name.toLowerCase();
    return this.families.find((each) => each.name === small || each.fieldNames?.includes(small));
  }

  /** What an unknown id was probably meant to be: a name of trec_eval or ir_measures, or a slip of the pen. */
  #meantBy(id: string, name: string, cutText: string | undefined): string | undefined {
    const trec = /^(?<measure>.+?)[_.@]?(?<cut>\d+)?$/.exec(id)?.groups;
    for (const family of this.families) {
      if (trec?.measure === family.trecName?.whole && trec?.cut === undefined && trec !== undefined)
        return family.name;
      if (trec?.cut !== undefined && trec.measure === family.trecName?.cut)
        return `${family.name}@${trec.cut}`;
    }
    const known = new Map(this.families.map((family) => [family.name, family]));
    for (const family of this.families)
      for (const each of [...(family.fieldNames ?? []), ...(family.suggestedFor ?? [])])
        known.set(each, family);
    const bare = name.replace(/[_.-]?\d+$/, '');
    if (bare === '') return undefined;
    const cut = cutText ?? /\d+$/.exec(name)?.[0];
    const near = nearestName(bare, known.keys());
    if (near === undefined) return undefined;
    const family = known.get(near)!;
    if (cut !== undefined) return `${family.name}@${cut}`;
    return family.cut === 'required' ? `${family.name}@10` : family.name;
  }
}

function measureOf(family: NamedFamily, cut: number | undefined): Measure {
  const { name, higherIsBetter, unit, needs } = family;
  return {
    id: cut === undefined ? name : `${name}@${cut}`,
    family: name,
    description: family.describe(cut?.toString()),
    higherIsBetter,
    unit,
    needs,
    cut,
    score: (query) => family.score(query, cut ?? Infinity),
  };
}
