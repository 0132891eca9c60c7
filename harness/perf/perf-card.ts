/**
 * `npm run perf -- card [webgpu,cuda] [train,encode,search] [base|small]`: BERT-base on a real GPU beside PyTorch on the same one, one after
 * the other: passages trained and encoded a second, and exact search of a million vectors. PYTHON=... chooses an interpreter
 * that has torch with CUDA and transformers.
 */
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { shardHeaderBytes } from '../index/shard.js';
import { shardPaths } from '../index/shard-files.js';
import { parseJson } from '../json.js';
import { median } from '../statistics/summary.js';
import { type DeviceName, deviceNames } from '../tensor/engine.js';
import { openEngine } from '../tensor/engines.js';
import {
  counts,
  depth,
  encodeBatch,
  encoding,
  ownPrecisions,
  type Part,
  type PeerTimes,
  parts,
  perSecond,
  precisions,
  type Setting,
  searches,
  searching,
  settings,
  steps,
  training,
} from './card-work.js';
import { inFolder } from './made-folder.js';
import { clusteredVectors, turnedVectors, writeVectors } from './made-vectors.js';
import { pythonTurn, shownTurn } from './turns.js';

/** What one device is measured with, in a process of its own: memory that an earlier one has kept would be missing. */
interface DeviceTurn {
  device: DeviceName;
  chosen: readonly Part[];
  size: keyof typeof settings;
  folder: string;
}

async function measure({ device, chosen, size, folder }: DeviceTurn): Promise<void> {
  const sizes = settings[size];
  const peer = parseJson(await readFile(path.join(folder, 'peer.json'), 'utf8')) as Partial<PeerTimes>;
  const queries = clusteredVectors(Math.max(...counts), sizes.dimensions, 'queries');
  const engine = await openEngine('onnx', { device });
  console.log(`${device}, ${engine.versions.gpu ?? 'which GPU is not known'}`);
  if (chosen.includes('search')) await searching(engine, sizes, folder, queries, peer);
  if (chosen.includes('encode')) await encoding(engine, sizes, peer);
  if (chosen.includes('train'))
    for (const precision of ownPrecisions)
      for (const isWhole of [false, true])
        await training(engine, sizes, peer, isWhole, precision).catch(({ message }: Error) =>
          console.log(`  training, ${precision}: ${message}`),
        );
  await engine.dispose();
}

export default async function perfCard([
  devices = 'webgpu',
  named = parts.join(','),
  size = 'base',
]: readonly string[]): Promise<void> {
  if (devices.startsWith('{')) return measure(parseJson(devices) as DeviceTurn);
  const chosen = listed(named, parts);
  const [name] = listed(size, Object.keys(settings) as (keyof typeof settings)[]);
  const sizes = settings[name!];
  const on = listed(devices, deviceNames);
  const { vectors, dimensions } = sizes;
  await inFolder('perf', async (folder) => {
    const files = [shardPaths(folder, 0).vectors];
    const asked = path.join(folder, 'queries.f32');
    if (chosen.includes('search')) {
      await writeVectors(folder, turnedVectors(vectors, dimensions), dimensions);
      await writeFile(asked, clusteredVectors(Math.max(...counts), dimensions, 'queries'));
    }
    const peer = peerTimes(chosen, sizes, { files, queries: asked });
    await writeFile(path.join(folder, 'peer.json'), JSON.stringify(peer));
    for (const device of on) {
      try {
        shownTurn('card', { device, chosen, size, folder });
      } catch (error) {
        console.log((error as Error).message);
      }
    }
  });
}

/** @throws Error where one is none of `known` */
function listed<Name extends string>(text: string, known: readonly Name[]): Name[] {
  const names = text.split(',');
  const other = names.find((name) => !known.some((each) => each === name));
  if (other !== undefined) throw new Error(`'${other}' is none of ${known.join(', ')}.`);
  return names as Name[];
}

function peerTimes(chosen: readonly Part[], sizes: Setting, files: object): Partial<PeerTimes> {
  const timed = chosen.flatMap((part) =>
    part === 'search' ? ['copy', 'search'] : precisions.map((precision) => `${part} ${precision}`),
  );
  const { encoded } = sizes;
  const job = { ...sizes, ...files, encodeBatch, steps, searches, counts, depth };
  const peer = pythonTurn<PeerTimes>('pytorch-card.py', {
    ...job,
    parts: timed,
    headerBytes: shardHeaderBytes,
  });
  if ('reason' in peer) {
    console.log(`PyTorch is left out: ${peer.reason}`);
    return {};
  }
  console.log(
    `PyTorch ${peer.version}, ${peer.gpu}${peer.copy === undefined ? '' : `: a copy moves ${peer.copy.toFixed(0)} GB a second, read and written`}`,
  );
  for (const [part, count] of [
    ['encode', encoded],
    ['train', sizes.batch],
  ] as const)
    for (const precision of precisions) {
      const times = peer[`${part} ${precision}`];
      if (times !== undefined)
        console.log(
          `  ${part} ${precision}: ${perSecond(count, median(times))} (${median(times).toFixed(0)} ms)`,
        );
    }
  for (const [count, times] of Object.entries(peer.search?.milliseconds ?? {}))
    console.log(`  search, ${count} at once: ${median(times).toFixed(2)} ms`);
  return peer;
}
