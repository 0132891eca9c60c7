/** The measures that there are: every file of `harness/metrics/measures`. They are loaded when this is imported. */
import type { Measure, MeasureFamily } from '../metrics/measure.js';
import { Measures, type NamedFamily } from '../metrics/measures.js';
import { loadMeasureFile, measureFiles } from '../plugins.js';

const measures = new Measures(
  await Promise.all(
    measureFiles().map(async (name) => ({ ...(await loadMeasureFile<MeasureFamily>(name)), name })),
  ),
);

export const measureFamilies: readonly NamedFamily[] = measures.families;

/** See `Measures.forms`. */
export const measureForms = (): string[] => measures.forms();

/** See `Measures.id`. */
export const measureId = (name: string): string => measures.id(name);

/** See `Measures.parse`. @throws BenchError UNKNOWN_NAME */
export const parseMeasures = (ids: readonly string[]): Measure[] => measures.parse(ids);
