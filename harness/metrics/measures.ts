/** The measures there are, and the ids they are asked for by: `ndcg@10`. */
import { BenchError, nearestName } from '../errors.js';
import { answer } from './answer.js';
import { averagePrecision } from './average-precision.js';
import { hitRate } from './hit-rate.js';
import type { Measure, MeasureFamily } from './measure.js';
import { ndcg } from './ndcg.js';
import { precision } from './precision.js';
import { recall } from './recall.js';
import { reciprocalRank } from './reciprocal-rank.js';
import { success } from './success.js';

/** In the order in which they are listed. */
export const measureFamilies: readonly MeasureFamily[] = [
  answer,
  success,
  hitRate,
  reciprocalRank,
  ndcg,
  recall,
  averagePrecision,
  precision,
];

/** The ids as a person would write them, for lists and hints: `mrr`, `mrr@k`, `p@k`. */
export function measureForms(): string[] {
  return measureFamilies.flatMap(({ name, cut }) =>
    cut === 'optional' ? [name, `${name}@k`] : [`${name}@k`],
  );
}

/**
 * The id that a measure goes by here, whatever it was written as: `ndcg@10` of `nDCG@10`, `mrr@10` of `RR@10`. What is not
 * known comes back as it is.
 */
export function measureId(name: string): string {
  const parsed = parse(name);
  return typeof parsed === 'string' ? name : parsed.id;
}

/**
 * Turns ids into measures, without repetitions, in the order given.
 * @throws BenchError UNKNOWN_NAME that lists every id at fault, each with the id it was probably meant to be
 */
export function parseMeasures(ids: readonly string[]): Measure[] {
  const measures = new Map<string, Measure>();
  const faults: string[] = [];
  for (const id of ids) {
    const parsed = parse(id);
    if (typeof parsed === 'string') faults.push(parsed);
    else measures.set(parsed.id, parsed);
  }
  if (faults.length > 0) {
    throw new BenchError('UNKNOWN_NAME', faults.join('\n'), {
      hint: `Measures: ${measureForms().join(', ')}; k is a whole number from 1, as in ndcg@10.`,
    });
  }
  return [...measures.values()];
}

/** The measure, or what is wrong with its id. */
function parse(id: string): Measure | string {
  const at = id.indexOf('@');
  const name = at < 0 ? id : id.slice(0, at);
  const cutText = at < 0 ? undefined : id.slice(at + 1);
  const family = familyNamed(name);
  if (family === undefined) {
    const meant = meantBy(id, name, cutText);
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
function familyNamed(name: string): MeasureFamily | undefined {
  const small = name.toLowerCase();
  return measureFamilies.find((each) => each.name === small || each.fieldNames?.includes(small));
}

function measureOf(family: MeasureFamily, cut: number | undefined): Measure {
  const { name, higherIsBetter, needs } = family;
  return {
    id: cut === undefined ? name : `${name}@${cut}`,
    description: family.describe(cut?.toString()),
    higherIsBetter,
    needs,
    cut,
    score: (query) => family.score(query, cut ?? Infinity),
  };
}

/** What an unknown id was probably meant to be: a name of trec_eval or ir_measures, or a slip of the pen. */
function meantBy(id: string, name: string, cutText: string | undefined): string | undefined {
  const trec = /^(?<measure>.+?)[_.@]?(?<cut>\d+)?$/.exec(id)?.groups;
  for (const family of measureFamilies) {
    if (trec?.measure === family.trecName?.whole && trec?.cut === undefined && trec !== undefined)
      return family.name;
    if (trec?.cut !== undefined && trec.measure === family.trecName?.cut) return `${family.name}@${trec.cut}`;
  }
  const known = new Map(measureFamilies.map((family) => [family.name, family]));
  for (const family of measureFamilies) for (const each of family.fieldNames ?? []) known.set(each, family);
  for (const [alias, family] of aliases) known.set(alias, family);
  const bare = name.replace(/[_.-]?\d+$/, '');
  if (bare === '') return undefined;
  const cut = cutText ?? /\d+$/.exec(name)?.[0];
  // With the ending that both share, two letters that changed places in a short name are near enough.
  const ending = `@${cut ?? 'k'}`;
  const near = nearestName(
    bare + ending,
    [...known.keys()].map((each) => each + ending),
  );
  if (near === undefined) return undefined;
  const family = known.get(near.slice(0, -ending.length))!;
  if (cut !== undefined) return `${family.name}@${cut}`;
  return family.cut === 'required' ? `${family.name}@10` : family.name;
}

/** Names that may mean something else elsewhere: suggested, not taken. */
const aliases: readonly (readonly [string, MeasureFamily])[] = [
  ['hit', hitRate],
  ['accuracy', answer],
];
