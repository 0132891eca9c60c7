/** `bench cache`: what lies in the cache, and removing what is not needed any more. */
import path from 'node:path';
import { BenchError, unknownName } from '../errors.js';
import { jsonText } from '../json.js';
import { byteSize, duration } from '../progress.js';
import { type RunRecord, readRecords } from '../record.js';
import { inventory, type Stored, type StoredKind, storedKinds } from '../store/inventory.js';
import { type Criteria, chosen, prune } from '../store/prune.js';
import { storeInUse } from '../store/remote/address.js';
import { clockOf } from '../store/renewal.js';
import { neighbourNames } from '../store/running.js';
import { type Command, splitList, type Values } from './command.js';
import { someOptions } from './options.js';
import { configOf } from './request.js';
import { renderTable } from './table.js';

const actions = ['list', 'prune'] as const;

export const command: Command = {
  usage: '[list|prune] [options]',
  description:
    'Lists what lies in the cache, what was used last first: `age` is since then. prune removes what every option given describes, but for what a running process uses, on this host or another that shares the cache; downloads and models of the hub only where --kind names them. Whatever goes is made again when it is needed.',
  options: {
    kind: { type: 'text', describe: `one or more of ${storedKinds.join(', ')}` },
    dataset: { type: 'text', describe: 'made from this dataset; beir stands for all of its collections' },
    system: { type: 'text', describe: 'made by this architecture' },
    'older-than': { type: 'text', describe: 'not used for so long: 12h, 30d' },
    'max-size': {
      type: 'text',
      describe: 'what goes beyond this, 500MB or 20GB; what was not used for the longest goes first',
    },
    unnamed: { type: 'switch', describe: 'what no record in the folder given by --out names' },
    'dry-run': { type: 'switch', describe: 'say what prune would remove, and remove nothing' },
    ...someOptions('cache', 'store', 'out', 'config'),
    json: { type: 'switch', describe: 'print the list as JSON' },
  },
  maxArguments: 1,
  examples: [
    ['bench cache', 'what is there'],
    ['bench cache prune --older-than 30d --dry-run', 'what has not been used for a month'],
    ['bench cache prune --kind shards,indexes --max-size 20GB', 'the largest kinds, down to 20 GB'],
    ['bench cache prune --unnamed', 'what no record of results/ was made from'],
  ],
  async run(values, [given = 'list'], print) {
    const action = actions.find((each) => each === given);
    if (action === undefined) throw unknownName('action of bench cache', given, actions);
    const { cache, out } = configOf({ config: values.config, cache: values.cache, out: values.out });
    const criteria = await criteriaOf(values, out);
    if (action === 'prune' && Object.keys(criteria).length === 0) {
      throw new BenchError('USAGE', 'bench cache prune needs to know what may go.', {
        hint: `Say so with --older-than, --max-size, --unnamed, --kind, --dataset or --system. To remove everything, delete ${path.resolve(cache)}.`,
      });
    }
    if (action === 'list' && values['dry-run'] === true)
      throw new BenchError('USAGE', '--dry-run goes with bench cache prune: a list removes nothing.');
    const root = path.resolve(cache);
    const isAsked = action === 'prune' || Object.keys(criteria).length > 0;
    const all = await inventory(root);
    // Times in the cache are those of its file system, which other hosts may use too.
    const nowMs = (await clockOf(root)) ?? Date.now();
    const those = (isAsked ? chosen(all, criteria, nowMs) : all).sort((a, b) => b.usedMs - a.usedMs);
    if (action === 'list') {
      print(values.json === true ? jsonText({ cache: root, stored: those }) : listOf(those, nowMs, root));
      if (values.json !== true) print(storeLine());
      return 0;
    }
    const dryRun = values['dry-run'] === true;
    const { removed, inUse, running } = dryRun
      ? { removed: those, inUse: [], running: [] }
      : await prune(root, those);
    if (values.json === true) {
      print(jsonText({ cache: root, dryRun, removed, inUse, running }));
      return 0;
    }
    const what = `${removed.length} of ${all.length}, ${byteSize(sumOf(removed))} of ${byteSize(sumOf(all))}`;
    if (removed.length > 0) print(`${tableOf(removed, nowMs)}\n`);
    print(`${dryRun ? 'would be removed' : 'removed'}: ${what}\n`);
    const who = running.length === 0 ? '' : ` (${neighbourNames(running)})`;
    print(storeLine());
    if (inUse.length > 0) print(`kept, for a running process uses them: ${inUse.length}${who}\n`);
    return 0;
  },
};

/** What lies on a server is nobody's alone. */
function storeLine(): string {
  const store = storeInUse();
  return store === undefined
    ? ''
    : `${store.text}: left alone, and not listed; what is removed there is removed with the tools of its server (docs/machines.md)\n`;
}

async function criteriaOf(values: Values, out: string): Promise<Criteria> {
  const { dataset, system } = values;
  return {
    ...(values.kind !== undefined && { kinds: splitList('kind', String(values.kind)).map(kindOf) }),
    ...(dataset !== undefined && { dataset: String(dataset) }),
    ...(system !== undefined && { system: String(system) }),
    ...(values['older-than'] !== undefined && { olderThanMs: ageOf(String(values['older-than'])) }),
    ...(values['max-size'] !== undefined && { maxBytes: sizeOf(String(values['max-size'])) }),
    ...(values.unnamed === true && { named: await keysNamedIn(out) }),
  };
}

function kindOf(name: string): StoredKind {
  const kind = storedKinds.find((each) => each === name);
  if (kind === undefined) throw unknownName('kind of the cache', name, storedKinds);
  return kind;
}

const hoursMs = 60 * 60 * 1000;
const ages: Readonly<Record<string, number>> = { h: hoursMs, d: 24 * hoursMs, w: 7 * 24 * hoursMs };

function ageOf(text: string): number {
  const [, count, unit] = /^(\d+(?:\.\d+)?)([hdw])$/.exec(text) ?? [];
  if (count === undefined) {
    throw new BenchError('USAGE', `--older-than ${text} is no age.`, {
      hint: 'Write hours, days or weeks: 12h, 30d, 4w.',
    });
  }
  return Number(count) * ages[unit!]!;
}

const sizes: Readonly<Record<string, number>> = {
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
};

function sizeOf(text: string): number {
  const [, count, unit] = /^(\d+(?:\.\d+)?)([KMGT]i?B)$/.exec(text) ?? [];
  if (count === undefined) {
    throw new BenchError('USAGE', `--max-size ${text} is no size.`, {
      hint: 'Write a number with its unit: 500MB, 20GB, 1.5TB.',
    });
  }
  return Number(count) * sizes[unit!]!;
}

/** @throws BenchError PATH_INVALID where there is no record: then none names anything, and all would go */
async function keysNamedIn(out: string): Promise<Set<string>> {
  return new Set((await readRecords([out])).flatMap(({ record }) => keysOf(record)));
}

function keysOf({ stages }: RunRecord): string[] {
  return stages.flatMap(({ key, execution: { uses = [] } }) => [
    ...(key === null ? [] : [key]),
    ...uses.map((used) => used.key),
  ]);
}

const sumOf = (those: readonly Stored[]): number => those.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);

function listOf(those: readonly Stored[], nowMs: number, root: string): string {
  if (those.length === 0) return `${root}: nothing\n`;
  const byKind = storedKinds.flatMap((kind) => {
    const own = those.filter((stored) => stored.kind === kind);
    return own.length === 0 ? [] : [`${kind} ${byteSize(sumOf(own))}`];
  });
  return `${tableOf(those, nowMs)}\n${root}: ${byteSize(sumOf(those))} (${byKind.join(', ')})\n`;
}

function tableOf(those: readonly Stored[], nowMs: number): string {
  const rows = those.map(({ kind, key, dataset = '-', system = '-', sizeBytes, usedMs, state }) => [
    kind,
    key,
    dataset,
    system,
    byteSize(sizeBytes),
    `${ageText(Math.max(0, nowMs - usedMs))}${state === 'unfinished' ? ', unfinished' : ''}`,
  ]);
  return renderTable(['kind', 'key', 'dataset', 'system', 'size', 'age'], rows, 'llllrl', 2);
}

const ageText = (ms: number): string =>
  ms < 2 * ages.d! ? duration(ms) : `${Math.floor(ms / ages.d!)} days`;
