/**
 * A table or figure of a paper as data: the grid of runs behind it, and what it prints. One JSON file each in
 * harness/reproductions/; harness/reproduction.schema.json says the same to editors and checks the files.
 */
import type { ConfigPart } from '../config/bench-config.js';

/** `paper`: the grid as it stands. `small`: the same rows with a small model on one dataset, in minutes. */
export type Scale = 'paper' | 'small';

export interface Reproduction {
  title: string;
  published: {
    /** Where the figures stand: `Table 2`. */
    in: string;
    /** The words of the page that say what they are. */
    quote: string;
    unit: Unit;
    /** Digits after the point, as printed. */
    decimals: number;
    /** Why a figure may be absent, beside "not printed in the paper". */
    note?: string;
  };
  /** The encoder of the paper. Lists of `arch.layers` in this file count its layers. */
  encoder: { layers: number; dimensions: number };
  /** Names of presets, the later above the earlier. A row may name its own. */
  presets: string[];
  settings: ConfigPart;
  /** Seeds of every row that names none. */
  seeds: number[];
  /** Trained on this dataset and evaluated on those of the groups; each group's own where absent. */
  trainOn?: string;
  groups: ColumnGroup[];
  /** Label of a last column, the mean over the groups, each of which then has one column. */
  average?: string;
  rows: Row[];
  small: {
    /** The group whose columns stand for all, by label; the first where absent. */
    group?: string;
    settings: ConfigPart;
  };
  /** What is known of the datasets beforehand, by name. */
  collections: Record<string, Collection>;
  cost: Cost;
  /** Where this grid differs from what the paper did, or the page leaves something open. */
  notes: string[];
}

/** Neighbouring columns: one dataset, one kind of model. */
export interface ColumnGroup {
  label: string;
  dataset: string;
  settings?: ConfigPart;
  columns: Column[];
}

/** What figures count in, as published. */
export type Unit = 'percent' | 'share' | 'bytes' | 'GiB' | 's' | 'count' | 'number';

/** It shows a measure or a fact, one of the two. */
export interface Column {
  label: string;
  /** Id of a measure. */
  measure?: string;
  /** What a record says of the run itself, see facts.ts: `projected-bytes`. */
  fact?: string;
  /** Those of `published` where absent. */
  unit?: Unit;
  decimals?: number;
}

/** What a column shows, by id. */
export const shownIn = ({ measure, fact }: Column): string => measure ?? fact!;

export interface Row {
  label: string;
  /** Absent for a row that the paper quotes from elsewhere and that is not run, and for one that counts. */
  architecture?: string;
  /** The datasets are opened and their queries counted; nothing is run. */
  counts?: true;
  presets?: string[];
  settings?: ConfigPart;
  /** More settings in the groups of these labels. */
  settingsIn?: Record<string, ConfigPart>;
  seeds?: number[];
  /** Labels of the groups that it is run in; all where absent. */
  groups?: string[];
  /** Run at these scales only; at both where absent. */
  scales?: Scale[];
  /** In the order of the columns, the average last; null for what the paper does not print. */
  published: (number | null)[];
  /** Standard deviations beside `published`, where printed. */
  deviations?: (number | null)[];
  /** Label of the row that the paper tests this one against. */
  testedAgainst?: string;
  /** Beside `published`: whether the paper marks the improvement over that row as significant. */
  significant?: boolean[];
  note?: string;
}

export interface Collection {
  passages: number;
  /**
   * Examples of an epoch: queries with a positive, or pairs of a query and a positive where the dataset trains on each of
   * them (`trainsOn` of contracts/dataset.ts), those that are left out for want of negatives among them; absent where
   * nothing is trained on it.
   */
  trainingExamples?: number;
  /** Queries of the training file, also those without a positive, for which a second stage mines; absent where there are none. */
  trainingQueries?: number;
  /** Updates of an epoch of the paper's code, derived from its sizes; of the second stage at most. */
  codeSteps?: { first: number; second?: number };
}

/** What GPU hours are estimated from: the hours of one known training and encoding. */
export interface Cost {
  /** The words of the page. */
  quote: string;
  /** Fewest and most. */
  gpuHours: [number, number];
  gpu: string;
  /** Passages that went through training, all epochs together, and passages that were encoded, in those hours. */
  trainedPassages: number;
  encodedPassages: number;
  /** How many encoded passages one trained passage costs as much as. */
  trainedPassageWeight: number;
}
