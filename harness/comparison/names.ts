/** What to call a system: as short as tells it from the others. */
import path from 'node:path';
import { defaultConfig } from '../config/config.js';
import { makesOtherSystem } from '../config/deciding.js';
import { type RunRecord, recordSuffix, type StoredRecord } from '../record.js';

/** Said by what the run made of them: `layers`, `vectors`, `lambda`, `index`, `engine`, `device`, `searcher`, `model`. */
const resolvedElsewhere =
  /^(arch\.(layers|vectors|lambda|maskShort)|index\.(kind|nprobe|efSearch|dimensions|rescore|parameters\..+)|engine|device|searcher|model\.name)$/;

/** Everything that makes a system what it is, apart from the architecture's name and the data: by key, as texts. */
export function settingsOf({
  config,
  arch,
  model,
  index,
  device,
  hitsFrom,
  components = [],
}: RunRecord): Record<string, string> {
  const settings: Record<string, string> = {};
  const add = (key: string, value: unknown) => {
    if (value !== undefined && value !== null)
      settings[key] = Array.isArray(value) ? value.join('+') : String(value);
  };
  add('model', model?.name);
  // A file's name may be another's: what it holds tells them apart.
  const files = [hitsFrom, ...components.map((each) => each.hitsFrom)].flatMap((file) => file ?? []);
  if (files.length > 0)
    add(
      'hits',
      files.map(({ sha256 }) => sha256.slice(0, shownOfHash)),
    );
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
  const values = valuesOf(config, device.searcher === null);
  for (const [key, value] of values)
    if (!resolvedElsewhere.test(key) && !isOfAbsentTeacher(key, values)) add(key, value);
  return settings;
}

/** What a teacher would be told: nothing, where there is none, or where its loss has no such number. */
function isOfAbsentTeacher(key: string, values: ReadonlyMap<string, unknown>): boolean {
  const [, section, setting] = /^(.*\bteacher\.)(\w+)$/.exec(key) ?? [];
  if (section === undefined || setting === 'scores') return false;
  if ((values.get(`${section}scores`) ?? null) === null) return true;
  return setting === 'temperature' && values.get(`${section}loss`) !== 'kl';
}

/** Of the hash of a file: no two of one table begin alike. */
const shownOfHash = 12;

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

interface Named {
  arch: string;
  settings: Readonly<Record<string, string>>;
}

/** Settings shown in a name; more where these leave two systems the same that others tell apart. */
const shown = 3;

/**
 * A name for each record: its architecture, where others have the same one the settings that differ between them, and
 * where those leave two the same the name of the file.
 */
export function distinctNames(records: readonly StoredRecord[]): string[] {
  const systems = records.map(({ record }) => ({ arch: record.arch.name, settings: settingsOf(record) }));
  const keys = systems.map((own) => differing(own, systems).slice(0, shown));
  const named = () =>
    systems.map(({ arch, settings }, i) => {
      const parts = keys[i]!.map((key) => `${key}=${settings[key] ?? 'none'}`);
      return parts.length === 0 ? arch : `${arch} (${parts.join(', ')})`;
    });
  let names = named();
  for (;;) {
    const more = systems.map((own, i) => {
      const namesakes = systems.filter((_, j) => names[j] === names[i]);
      const missing = differing(own, namesakes).filter((key) => !keys[i]!.includes(key));
      return missing.slice(0, 1);
    });
    if (more.every((each) => each.length === 0)) break;
    for (const [i, each] of more.entries()) keys[i]!.push(...each);
    names = named();
  }
  const stems = records.map(({ file }) => path.basename(file, recordSuffix));
  const withFile = names.map((name, i) => (isRepeated(names, name) ? `${name} [${stems[i]}]` : name));
  return withFile.map((name, i) => (isRepeated(withFile, name) ? `${names[i]} [${records[i]!.file}]` : name));
}

/** Keys of which one of the others of the same architecture has another value, or only one of the two has any. */
function differing(own: Named, others: readonly Named[]): string[] {
  const alike = others.filter(({ arch }) => arch === own.arch);
  return [...new Set(alike.flatMap(({ settings }) => Object.keys(settings)))].filter((key) =>
    alike.some(({ settings }) => settings[key] !== own.settings[key]),
  );
}

function isRepeated(names: readonly string[], name: string): boolean {
  return names.indexOf(name) !== names.lastIndexOf(name);
}
