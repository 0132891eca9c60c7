/** What to call a system: as short as tells it from the others. */
import path from 'node:path';
import { defaultConfig } from '../config/config.js';
import { makesOtherSystem } from '../config/deciding.js';
import { type RunRecord, recordSuffix, type StoredRecord } from '../record.js';

/** Said by what the run made of them: `layers`, `vectors`, `lambda`, `index`, `engine`, `device`, `searcher`, `model`. */
const resolvedElsewhere =
  /^(arch\.(layers|vectors|lambda|maskShort)|index\.(kind|nprobe|efSearch|dimensions|rescore|parameters\..+)|engine|device|searcher|model\.name)$/;

/** Everything that makes a system what it is, apart from the architecture's name and the data: by key, as texts. */
export function settingsOf({ config, arch, model, index, device }: RunRecord): Record<string, string> {
  const settings: Record<string, string> = {};
  const add = (key: string, value: unknown) => {
    if (value !== undefined && value !== null)
      settings[key] = Array.isArray(value) ? value.join('+') : String(value);
  };
  add('model', model?.name);
  add('layers', arch.layers);
  add('M', arch.vectors);
  add('lambda', arch.lambda);
  add('maskShort', arch.maskShort);
  // With what it is searched with: an index has at most one such parameter.
  const searched = index?.parameter && ` ${index.parameter.name} ${index.parameter.value}`;
  add('index', index && `${index.kind}${searched ?? ''}`);
  add('searcher', device.searcher);
  add('engine', device.engine);
  add('device', device.device);
  for (const [key, value] of valuesOf(config, device.searcher === null)) {
    if (!resolvedElsewhere.test(key)) add(key, value);
  }
  return settings;
}

let defaults: readonly (readonly [string, unknown])[] | undefined;

/**
 * By key. A record made before a key was added ran as its default says; what another program ran as is not known.
 * @param foreign whether the record is of another program
 */
function valuesOf(config: RunRecord['config'], foreign: boolean): Map<string, unknown> {
  defaults ??= [...flattened(defaultConfig())];
  return new Map([...(foreign ? [] : defaults), ...flattened(config)]);
}

function* flattened(section: object, prefix = ''): Generator<[string, unknown]> {
  for (const [key, value] of Object.entries(section)) {
    if (!makesOtherSystem(prefix + key)) continue;
    if (value !== null && typeof value === 'object' && !Array.isArray(value)) {
      yield* flattened(value as object, `${prefix}${key}.`);
    } else {
      yield [prefix + key, value];
    }
  }
}

/** Settings shown in a name before the rest is left to its file's name. */
const shown = 3;

/**
 * A name for each record: its architecture, where others have the same one the settings that differ between them, and
 * where those leave two the same the name of the file.
 */
export function distinctNames(records: readonly StoredRecord[]): string[] {
  const names = records.map(({ record }) => {
    const alike = records.filter((other) => other.record.arch.name === record.arch.name);
    const settings = alike.map((other) => settingsOf(other.record));
    const own = settingsOf(record);
    const keys = [...new Set(settings.flatMap((each) => Object.keys(each)))].filter((key) =>
      settings.some((each) => each[key] !== own[key]),
    );
    const parts = keys.slice(0, shown).map((key) => `${key}=${own[key] ?? 'none'}`);
    return parts.length === 0 ? record.arch.name : `${record.arch.name} (${parts.join(', ')})`;
  });
  const stems = records.map(({ file }) => path.basename(file, recordSuffix));
  const withFile = names.map((name, i) => (isRepeated(names, name) ? `${name} [${stems[i]}]` : name));
  return withFile.map((name, i) => (isRepeated(withFile, name) ? `${names[i]} [${records[i]!.file}]` : name));
}

function isRepeated(names: readonly string[], name: string): boolean {
  return names.indexOf(name) !== names.lastIndexOf(name);
}
