/** Which sections of the configuration play a part in which kinds of systems. */
import type { BenchConfig } from '../config/config.js';

type Sections = readonly (keyof BenchConfig)[];

/** In every system. */
export const usualSettings: Sections = [
  ...(['preset', 'unpack', 'search', 'latency', 'answering', 'measures', 'measure', 'seeds'] as const),
  ...(['cache', 'out', 'keep'] as const),
];

/**
 * Sections that say what computes on this machine, and nothing of a system: where they have no part that is told and no more, so
 * that one command line serves a script that goes through systems.
 */
export const settingsOfMachine: Sections = ['engine', 'device', 'deviceMemoryMiB'];

/** In every one that computes on an engine. */
const engineSettings: Sections = [...settingsOfMachine, 'threads'];

/** In every one whose vectors are searched. */
export const settingsOfVectors: Sections = [
  ...usualSettings,
  ...(['encode', 'index', 'searcher'] as const),
  ...engineSettings,
];

/** In every one that scores query and passage together. */
export const settingsOfPairs: Sections = [...usualSettings, 'encode', ...engineSettings, 'cross'];

/** In every one that weighs tokens: its index is of one kind, and it is searched by nothing else. */
export const settingsOfWeights: Sections = [...usualSettings, 'encode', ...engineSettings, 'sparse'];

/** In every one that is trained. BM25 finds its negatives. */
export const settingsOfTraining: Sections = [
  ...settingsOfVectors,
  ...(['arch', 'model', 'text', 'train', 'stages', 'stage2', 'bm25'] as const),
];

/**
 * Sections that may be set whatever is asked for: a system that computes with one thread keeps to any number of them, one
 * that is not timed to any latency settings (`latency.queries=0` asks for what it does), and `check` is for a command of its own.
 */
const harmless: Sections = ['threads', 'latency', 'check'];

/** Whether a section has no part in anything that is asked for. @param all the sections that play one, by system */
export const isIdle = (section: string, all: readonly Sections[]): boolean =>
  ![harmless, ...all].some((sections) => sections.some((each) => each === section));
