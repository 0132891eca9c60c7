/** NumPy's files, as NumPy itself wrote them and with every kind of damage. */
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { NpyRows } from '../harness/interchange/npy.js';
import { toFloat32 } from '../harness/model/number-types.js';
import { failsWith } from './loopback.js';
import { temporaryFolder } from './made-index.js';
import { inFixtures } from './places.js';

const file = (name: string) => path.join(inFixtures('npy'), `${name}.npy`);
const values = Float32Array.from({ length: 12 }, (_, i) => (i - 5) * 0.25);
const kinds = { '<f2': 'F16', '<f4': 'F32', '<f8': 'F64' } as const;

for (const name of ['float32', 'float16', 'float64', 'version2', 'version3']) {
  test(`${name}: the rows as NumPy has them, all or some`, async () => {
    const rows = await NpyRows.open(file(name));
    assert.deepEqual([rows.rows, rows.dimensions], [3, 4]);
    const read = async (first: number, count: number) =>
      toFloat32[kinds[rows.type]]!(await rows.read(first, count));
    assert.deepEqual(await read(0, 3), values);
    assert.deepEqual(await read(1, 1), values.slice(4, 8));
    assert.deepEqual(await read(3, 0), new Float32Array(0));
    for (const [first, count] of [
      [2, 2],
      [-1, 1],
      [0, -1],
      [4, 0],
      [0, 4],
    ] as const)
      await assert.rejects(rows.read(first, count), RangeError, `${first}, ${count}`);
    await rows.close();
  });
}

test('no rows are an array, too', async () => {
  const rows = await NpyRows.open(file('empty'));
  assert.deepEqual([rows.rows, rows.dimensions], [0, 4]);
  await rows.close();
});

test('what is no array of rows of floating-point numbers is refused by what it is', async () => {
  const refused = (name: string, ...parts: string[]) =>
    failsWith(NpyRows.open(file(name)), 'DATA_INVALID', `${name}.npy`, ...parts);
  await refused('by-columns', 'column by column', 'ascontiguousarray');
  await refused('big-endian', '>f4');
  await refused('integers', '<i4');
  await refused('one-row', 'shape (4,)');
  await refused('three-axes', 'shape (3, 2, 2)');
  await refused('objects', '|O', 'never read');
  await refused('records', 'records');
});

test('damage is told with what was found', async (t) => {
  const folder = await temporaryFolder(t);
  const whole = await readFile(file('float32'));
  const written = async (bytes: Uint8Array) => {
    const name = path.join(folder, 'array.npy');
    await writeFile(name, bytes);
    return NpyRows.open(name);
  };
  const refused = (bytes: Uint8Array, ...parts: string[]) =>
    failsWith(written(bytes), 'DATA_INVALID', 'array.npy', ...parts);
  await refused(new Uint8Array(0), 'no file of NumPy');
  await refused(Buffer.from('PK\x03\x04 an archive of arrays'), 'no file of NumPy');
  await refused(whole.subarray(0, 8), 'cut short');
  await refused(whole.subarray(0, 60), 'header of 118 bytes');
  await refused(whole.subarray(0, whole.length - 1), `${whole.length - 1} bytes`, '3 x 4', `${whole.length}`);
  await refused(Buffer.concat([whole, Buffer.alloc(1)]), `${whole.length + 1} bytes`);
  const edited = (from: string, to: string) =>
    Buffer.from(whole.toString('latin1').replace(from, to.padEnd(from.length)), 'latin1');
  await refused(edited("'shape': (3, 4)", "'shape': (-3, 4)"), 'does not say');
  await refused(edited("'shape': (3, 4), ", "'shape': (3e9, 4),"), 'does not say');
  await refused(edited("'shape': (3, 4), }", "'shape': (3, 0)}"), 'shape (3, 0)');
  await refused(edited("'descr': '<f4'", "'descr': 'toString'"), 'toString');
  const version = Buffer.from(whole);
  version[6] = 9;
  await refused(version, 'version 9');
  await failsWith(NpyRows.open(folder), 'PATH_INVALID', 'not a file');
  await assert.rejects(NpyRows.open(path.join(folder, 'nothing.npy')), { code: 'PATH_INVALID' });
});
