/** Places of systems as reports show them. */
import type { ReportPlaces, ReportRanks } from '../../harness/contracts.js';
import { pairsOf } from './numbers.js';

/** `1–4 tied`, `3` */
export function placesText({ best, worst }: ReportPlaces): string {
  return best === worst ? String(best) : `${best}–${worst} tied`;
}

/** `1–4` */
export const placeInterval = ({ best, worst }: ReportPlaces): string =>
  best === worst ? String(best) : `${best}–${worst}`;

/** A row for each system, a cell for each measure; undefined where the system has no place. */
export function rankRows({ measures }: ReportRanks): {
  system: string;
  cells: readonly (ReportRanks['measures'][number]['systems'][number] | undefined)[];
}[] {
  const systems = [...new Set(measures.flatMap((measure) => measure.systems.map(({ system }) => system)))];
  return systems.map((system) => ({
    system,
    cells: measures.map((measure) => measure.systems.find((each) => each.system === system)),
  }));
}

export const ranksLegend = ({ familySize }: ReportRanks): string =>
  `Places that the tests leave open: behind every system that is significantly better, before every one that is significantly worse (over queries, p < 0.05, corrected by Holm over ${pairsOf(familySize)}). In brackets the 95 % interval of the place, by bootstrap over queries and seeds.`;
