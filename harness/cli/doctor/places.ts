/** Where files go, and where they come from. */
import { constants } from 'node:fs';
import { access, stat, statfs } from 'node:fs/promises';
import path from 'node:path';
import { BenchError } from '../../errors.js';
import { datasetFiles, loadDataset } from '../../plugins.js';
import { storeInUse } from '../../store/remote/address.js';
import { remoteStore } from '../../store/remote/remote-store.js';
import { neighbourNames, neighbours } from '../../store/running.js';
import { sharingOf, whyShared } from '../../store/sharing.js';
import type { Check } from './machine.js';

/** Below this a run of any size is likely to fill the disk. */
const littleSpaceBytes = 2 ** 30;

const hub = 'https://huggingface.co';

/** Whether a folder, or the one it would be made in, can be written to, and how much room there is. */
export async function checkFolder(flag: 'cache' | 'out', folder: string): Promise<Check> {
  const name = `folder --${flag}`;
  const target = path.resolve(folder);
  const remedy = `choose another with --${flag} DIR`;
  const existing = await nearestExisting(target);
  try {
    if (!(await stat(existing)).isDirectory()) {
      return { name, state: 'failed', detail: `${target}: ${existing} is not a folder`, remedy };
    }
    await access(existing, constants.W_OK);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return { name, state: 'failed', detail: `${target} cannot be written to (${code})`, remedy };
  }
  const { bavail, bsize } = await statfs(existing);
  const freeBytes = bavail * bsize;
  const detail = `${target}, ${(freeBytes / 2 ** 30).toFixed(1)} GiB free`;
  if (freeBytes < littleSpaceBytes) return { name, state: 'failed', detail: `${detail}: too little`, remedy };
  return { name, state: 'ok', detail };
}

/** Whether what figures are made from can be changed by somebody else. */
export async function checkPrivacy(cache: string): Promise<Check> {
  const name = 'cache of this user alone';
  const root = path.resolve(cache);
  const why = await whyShared(root);
  if (why === undefined) return { name, state: 'ok', detail: root };
  return {
    name,
    state: 'absent',
    detail: why,
    without: 'who may write there decides what figures are made from; damage is found, a forgery is not',
    remedy: `chmod -R go-w ${root}, as its owner`,
  };
}

/** Whether containers and hosts may share the cache, and who works in it. */
export async function checkSharing(cache: string): Promise<Check> {
  const name = 'cache for several hosts';
  const root = path.resolve(cache);
  if ((await stat(root).catch(() => undefined))?.isDirectory() !== true)
    return { name, state: 'ok', detail: `${root} is not there yet` };
  const { linkFault, aheadMs } = await sharingOf(root);
  const clock =
    aheadMs === undefined
      ? ''
      : `its clock and this host's differ by ${(Math.abs(aheadMs) / 1000).toFixed(1)} s, `;
  const others = await neighbours(root);
  const detail = `${clock}${others.length === 0 ? 'no other process works in it' : `at work in it: ${neighbourNames(others)}`}`;
  if (linkFault === undefined) return { name, state: 'ok', detail };
  return {
    name,
    state: 'absent',
    detail: `${detail}; a file gets no second name there (${linkFault})`,
    without: 'locks alone keep two hosts from finishing one artifact twice',
    remedy: 'a cache on a disk of this host, or on NFS: --cache DIR',
  };
}

/** Whether the store on a server that was asked for can be worked with; nothing where none was. */
export async function checkStore(): Promise<Check[]> {
  const address = storeInUse();
  if (address === undefined) return [];
  const name = 'store on a server';
  try {
    await remoteStore();
    return [{ name, state: 'ok', detail: `${address.text}: the first of two that put an object wins there` }];
  } catch (error) {
    if (!(error instanceof BenchError)) throw error;
    const { message, hint } = error;
    return [{ name, state: 'failed', detail: message, ...(hint !== undefined && { remedy: hint }) }];
  }
}

async function nearestExisting(target: string): Promise<string> {
  for (let folder = target; ; folder = path.dirname(folder)) {
    const found = await stat(folder).catch(() => undefined);
    if (found !== undefined || folder === path.dirname(folder)) return folder;
  }
}

/** Whether the hosts that checkpoints and datasets come from answer. */
export async function checkHosts(): Promise<Check[]> {
  const users = new Map<string, string[]>([[hub, ['checkpoints by id']]]);
  for (const file of datasetFiles()) {
    const { plugin } = await loadDataset(file);
    const variants = plugin.variants ?? [undefined];
    for (const { url } of variants.flatMap((variant) => plugin.downloads(variant))) {
      // What cannot be fetched has no host.
      if (url === '') continue;
      const { origin } = new URL(url);
      const known = users.get(origin) ?? [];
      if (!known.includes(file)) users.set(origin, [...known, file]);
    }
  }
  return Promise.all([...users].map(([origin, names]) => checkHost(origin, names)));
}

async function checkHost(origin: string, users: readonly string[]): Promise<Check> {
  const name = `host ${new URL(origin).host}`;
  try {
    // Any answer will do: what is asked is whether there is a way to the host.
    const { status } = await fetch(origin, { method: 'HEAD', signal: AbortSignal.timeout(10_000) });
    return { name, state: 'ok', detail: `answers (${status})` };
  } catch (error) {
    const { message, cause } = error as Error;
    const reason = cause instanceof Error ? cause.message : message;
    return {
      name,
      state: 'absent',
      detail: `cannot be reached: ${reason}`,
      without: `no download of ${users.join(', ')}; give folders with --data and --model instead`,
    };
  }
}
