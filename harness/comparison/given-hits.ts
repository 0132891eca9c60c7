/** Systems whose hits, or some of them, were read from a file: what finding these took is in no figure. */
import { firstOf, type System } from './systems.js';

export const hasGivenHits = (system: System): boolean => firstOf(system).device.hits !== undefined;

const hasCosts = (system: System): boolean => {
  const { index, latency } = firstOf(system);
  return index !== undefined || latency !== undefined;
};

/** Those whose costs may stand in one order: where some find all their hits themselves, these alone. */
export function inOneOrder(systems: readonly System[]): readonly System[] {
  const whole = systems.filter((system) => !hasGivenHits(system));
  return whole.some(hasCosts) ? whole : systems;
}

export function givenHitsNotes(systems: readonly System[]): string[] {
  const given = systems.filter(hasGivenHits);
  const names = (some: readonly System[]) => some.map(({ name }) => name).join(', ');
  const [alone, partly] = [given.filter((each) => !hasCosts(each)), given.filter(hasCosts)];
  const apart = inOneOrder(systems).includes(partly[0]!)
    ? ''
    : ', and stand in no order with those of others';
  return [
    ...(alone.length === 0
      ? []
      : [`No cost is known of ${names(alone)}: the hits were made elsewhere, and read from files.`]),
    ...(partly.length === 0
      ? []
      : [
          `Costs of ${names(partly)} lack what finding the hits took that were made elsewhere, and read from files: bytes and times are of the rest alone${apart}.`,
        ]),
  ];
}
