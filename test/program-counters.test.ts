/** Counters of the machine, each from files or a program that a test makes. */
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { energyCounters } from '../harness/program/energy-counters.js';
import { deviceMemory, residentMemory } from '../harness/program/process-memory.js';
import { temporaryFolder } from './made-index.js';

/** A domain, its counter absent where it is undefined. */
function domain(root: string, folder: string, name: string, microjoules?: number, largest = 1_000_000): void {
  const at = path.join(root, folder);
  mkdirSync(at, { recursive: true });
  writeFileSync(path.join(at, 'name'), `${name}\n`);
  writeFileSync(path.join(at, 'max_energy_range_uj'), `${largest}\n`);
  if (microjoules !== undefined) writeFileSync(path.join(at, 'energy_uj'), `${microjoules}\n`);
}

test('energy is that of packages and of memory, parts of them not twice, behind the largest number too', async (t) => {
  const root = await temporaryFolder(t);
  domain(root, 'intel-rapl:0', 'package-0', 900_000);
  domain(root, 'intel-rapl:0:0', 'core', 500);
  domain(root, 'intel-rapl:0:1', 'dram', 100_000, 2_000_000);
  domain(root, 'intel-rapl:1', 'package-1', 10_000);
  domain(root, 'intel-rapl:2', 'psys', 7);
  mkdirSync(path.join(root, 'intel-rapl'));
  const counters = await energyCounters(root);
  assert.ok('read' in counters);
  const from = await counters.read();
  // From 900,000 over 1,000,000 to 200,000: 300,000 µJ. Memory 50,000, the second processor 0.
  domain(root, 'intel-rapl:0', 'package-0', 200_000);
  domain(root, 'intel-rapl:0:0', 'core', 900_000);
  domain(root, 'intel-rapl:0:1', 'dram', 150_000, 2_000_000);
  domain(root, 'intel-rapl:2', 'psys', 900_000);
  assert.ok(Math.abs(counters.joulesBetween(from, await counters.read()) - 0.35) < 1e-12);
});

test('a machine without counters, or with one that cannot be read, says so', async (t) => {
  const root = await temporaryFolder(t);
  const reasonOf = async (at: string) => {
    const found = await energyCounters(at);
    return 'reason' in found ? found.reason : 'read';
  };
  assert.match(await reasonOf(path.join(root, 'nowhere')), /shows no counters of energy/);
  assert.match(await reasonOf(root), /shows no counters of energy/);
  domain(root, 'intel-rapl:0', 'package-0', 900_000);
  assert.equal(await reasonOf(root), 'read');
  domain(root, 'intel-rapl:1', 'package-1');
  assert.match(await reasonOf(root), /\(package-1\) cannot be read/);
  const other = await temporaryFolder(t);
  domain(other, 'intel-rapl:0:0', 'dram', 5);
  assert.match(await reasonOf(other), /shows no counters of energy/);
});

test('memory is anonymous or of files, in bytes; a kernel that does not tell all of it tells nothing', async (t) => {
  const root = await temporaryFolder(t);
  const file = path.join(root, 'status');
  const lines = ['Name:\tnode', 'VmHWM:\t    9 kB', 'RssAnon:\t 3 kB', 'RssFile:\t 4 kB', 'RssShmem:\t 1 kB'];
  writeFileSync(file, lines.join('\n'));
  assert.deepEqual(await residentMemory(file), { peak: 9216, anonymous: 4096, files: 4096 });
  writeFileSync(file, lines.slice(0, -1).join('\n'));
  assert.equal(await residentMemory(file), undefined);
  assert.equal(await residentMemory(path.join(root, 'nowhere')), undefined);
});

test('memory of a device is what nvidia-smi says of the process', async (t) => {
  const root = await temporaryFolder(t);
  const command = path.join(root, 'nvidia-smi');
  const prints = (text: string, ends = 0) => {
    writeFileSync(command, `#!/bin/sh\ncat <<'END'\n${text}\nEND\nexit ${ends}\n`);
    chmodSync(command, 0o755);
  };
  prints('17, 512\n170, 3\n17, 16\n18, [N/A]');
  assert.deepEqual(await deviceMemory(17, command), { bytes: 528 * 2 ** 20 });
  for (const pid of [1, 18])
    assert.deepEqual(await deviceMemory(pid, command), { reason: `${command} does not name this process` });
  prints('17, 512', 9);
  assert.match(JSON.stringify(await deviceMemory(17, command)), /does not run here/);
  assert.match(JSON.stringify(await deviceMemory(17, path.join(root, 'none'))), /does not run here/);
});
