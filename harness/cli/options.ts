/** Options that more than one subcommand takes. */
import type { Option } from './command.js';

/** What can be set by a flag of its own: see `flagKeys` in config/sources.ts, whose keys these are, and the file. */
export const configOptions: Readonly<Record<string, Option>> = {
  seeds: { type: 'text', describe: 'seeds, one run for each: 1,2,3' },
  model: { type: 'text', describe: "'scratch', a checkpoint's folder, or an id on the Hugging Face hub" },
  preset: { type: 'text', describe: "named settings, 'bench list presets'" },
  engine: { type: 'text', describe: "what runs the model, 'bench list engines'" },
  searcher: { type: 'text', describe: "what searches the index, 'bench list searchers'" },
  measures: { type: 'text', describe: "what is measured, 'bench list measures'" },
  threads: { type: 'text', describe: 'threads to compute with; all cores where absent' },
  cache: { type: 'text', describe: 'folder of downloads, checkpoints, shards and indexes' },
  out: { type: 'text', describe: 'folder of run records' },
  keep: { type: 'text', describe: 'what stays in the cache once runs are recorded: all, indexes, records' },
  config: { type: 'text', describe: 'configuration file; bench.config.json of this folder where absent' },
  set: { type: 'texts', describe: 'one setting, such as train.epochs=3; may be given several times' },
};
