import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, test } from 'node:test';
import { type NamedTensor, SafetensorsFile, writeSafetensors } from '../harness/model/safetensors.js';
import { removeClosed } from './open-files.js';
import { inFixtures } from './places.js';

const fixtures = inFixtures('model');

async function withFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(path.join(tmpdir(), 'strata-'));
  try {
    await work(folder);
  } finally {
    await removeClosed(folder);
  }
}

async function readTensors(file: string): Promise<NamedTensor[]> {
  const opened = await SafetensorsFile.open(file);
  const tensors: NamedTensor[] = [];
  for (const [name, { shape }] of opened.entries)
    tensors.push({ name, shape, values: await opened.read(name) });
  await opened.close();
  return tensors;
}

describe('safetensors', () => {
  test('F32, F16 and BF16 as PyTorch reads them; other types are refused when read', async () => {
    const file = await SafetensorsFile.open(path.join(fixtures, 'number-types.safetensors'));
    const json = await readFile(path.join(fixtures, 'number-types.json'), 'utf8');
    for (const [name, expected] of Object.entries(JSON.parse(json) as Record<string, number[]>)) {
      assert.deepEqual(await file.read(name), Float32Array.from(expected), name);
    }
    await assert.rejects(file.read('i64'), { code: 'CHECKPOINT_INVALID', message: /'i64' is I64/ });
    await assert.rejects(file.read('none'), { code: 'CHECKPOINT_INVALID', message: /no tensor 'none'/ });
    await file.close();
  });

  test('what is written is read again, and equal tensors give equal bytes', async () => {
    await withFolder(async (folder) => {
      const tensors = [
        { name: 'b', shape: [2, 3], values: Float32Array.from([1, -2, 3.5, 0, -0, 1e-40]) },
        { name: 'a', shape: [], values: Float32Array.of(7) },
        { name: 'none', shape: [0, 4], values: new Float32Array(0) },
        { name: 'a "colon": {', shape: [1], values: Float32Array.of(1) },
      ];
      const [first, second] = [path.join(folder, 'first'), path.join(folder, 'second')];
      await writeSafetensors(first, tensors);
      await writeSafetensors(second, tensors);
      assert.deepEqual(await readTensors(first), tensors);
      assert.deepEqual(await readFile(first), await readFile(second));
      assert.deepEqual((await readdir(folder)).sort(), ['first', 'second']);
      // Numbers begin at a multiple of eight bytes, behind as few blanks as that takes, and say whose layout they have.
      for (const name of ['', 'n', 'na', 'nam', 'name', 'names', 'names2', 'names23']) {
        await writeSafetensors(first, [{ name, shape: [1], values: Float32Array.of(1) }]);
        const bytes = await readFile(first);
        const length = Number(bytes.readBigUInt64LE());
        const header = bytes.toString('utf8', 8, 8 + length);
        assert.deepEqual([length % 8, bytes.length], [0, 8 + length + 4]);
        assert.ok(header.length - header.trimEnd().length < 8 && header.startsWith('{'), header);
        assert.deepEqual(JSON.parse(header).__metadata__, { format: 'pt' });
      }
    });
  });

  test('what cannot be written is refused, and leaves nothing', async () => {
    await withFolder(async (folder) => {
      const write = (...tensors: NamedTensor[]) => writeSafetensors(path.join(folder, 'file'), tensors);
      const tensor = (name: string, shape: number[], values: Float32Array = Float32Array.of(1, 2)) => ({
        ...{ name, shape, values },
      });
      for (const shape of [[1], [3], [2, 2], []])
        await assert.rejects(write(tensor('a', shape)), {
          name: 'RangeError',
          message: `a: 2 values for [${shape}]`,
        });
      for (const name of ['a', '__metadata__'])
        await assert.rejects(write(tensor('a', [2]), tensor(name, [2])), {
          name: 'RangeError',
          message: `two tensors are called ${name}`,
        });
      const broken = Object.defineProperty({ length: 2, byteLength: 8 }, 'buffer', {
        get: () => {
          throw new Error('no such memory');
        },
      });
      await assert.rejects(write(tensor('a', [2]), tensor('b', [2], broken as unknown as Float32Array)), {
        message: 'no such memory',
      });
      assert.deepEqual(await readdir(folder), []);
    });
  });

  test('tensors may stand in any order in the header, and empty ones where others begin', async () => {
    await withFolder(async (folder) => {
      const header = JSON.stringify({
        b: { dtype: 'F32', shape: [1], data_offsets: [8, 12] },
        a: { dtype: 'F32', shape: [2], data_offsets: [0, 8] },
        none: { dtype: 'F32', shape: [0], data_offsets: [0, 0] },
        last: { dtype: 'F32', shape: [0], data_offsets: [12, 12] },
      });
      const prefix = Buffer.alloc(8);
      prefix.writeBigUInt64LE(BigInt(header.length));
      const file = path.join(folder, 'file');
      const values = Float32Array.of(1, 2, 3);
      await writeFile(file, Buffer.concat([prefix, Buffer.from(header), Buffer.from(values.buffer)]));
      const read = (await readTensors(file)).map((tensor) => [tensor.name, ...tensor.values]);
      assert.deepEqual(read, [['b', 3], ['a', 1, 2], ['none'], ['last']]);
    });
  });

  test('files that are not what the format promises', async () => {
    const entry = (range: unknown, shape: unknown = [2], dtype: unknown = 'F32') => ({
      dtype,
      shape,
      data_offsets: range,
    });
    const file = (header: unknown, dataBytes: number, length?: number) => {
      const json = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
      const prefix = Buffer.alloc(8);
      prefix.writeBigUInt64LE(BigInt(length ?? json.byteLength));
      return Buffer.concat([prefix, json, Buffer.alloc(dataBytes)]);
    };
    const cases: [string, Buffer, RegExp][] = [
      ['empty', Buffer.alloc(0), /0 bytes long, too short/],
      ['a byte less than a length', Buffer.alloc(7), /7 bytes long, too short/],
      ['a length of nothing', Buffer.alloc(8), /header of 0 bytes is not JSON/],
      ['a hole between', file({ a: entry([0, 8]), b: entry([12, 20]) }, 20), /bytes 8-12 before tensor 'b'/],
      ['a range of one end', file({ a: entry([8]) }, 8), /byte range \[8\]/],
      ['a range of three ends', file({ a: entry([0, 8, 8]) }, 8), /byte range \[0,8,8\]/],
      ['a range beyond', file({ a: entry([0, 8], [1]) }, 8), /needs 4 bytes and has the range 0-8/],
      ['no header but nothing', file('null', 0), /not a JSON object/],
      [
        'a header length beyond the file',
        file({}, 0, 1000),
        /its header has 1000 bytes, but the file has 10/,
      ],
      ['a header length of one byte too many', file({}, 0, 3), /its header has 3 bytes, but the file has 10/],
      ['a header length beyond all reason', file({}, 0, 2 ** 52), /its header has 4503599627370496 bytes/],
      ['a header length too short', file({ a: entry([0, 8]) }, 8, 5), /header of 5 bytes is not JSON/],
      ['not JSON', file('{"a": nonsense}', 0), /not JSON/],
      ['not an object', file('[1]', 0), /not a JSON object/],
      ['cut off', file({ a: entry([0, 8]) }, 7), /cut off/],
      ['something after the end', file({ a: entry([0, 8]) }, 9), /its header promises/],
      ['overlap', file({ a: entry([0, 8]), b: entry([4, 12]) }, 12), /'a' and 'b' overlap/],
      ['a hole', file({ a: entry([4, 12]) }, 12), /bytes 0-4 before tensor 'a'/],
      ['a range that runs backward', file({ a: entry([8, 0]) }, 8), /'a' has the byte range \[8,0\]/],
      ['a negative range', file({ a: entry([-8, 0]) }, 8), /byte range \[-8,0\]/],
      [
        'a range of the wrong length',
        file({ a: entry([0, 4]) }, 4),
        /F32 \[2\], needs 8 bytes and has the range 0-4/,
      ],
      ['an unknown type', file({ a: entry([0, 8], [2], 'F31') }, 8), /dtype "F31"; known: /],
      ['a shape of fractions', file({ a: entry([0, 8], [0.5, 4]) }, 8), /shape \[0.5,4\]/],
      ['no entry', file({ a: null }, 0), /dtype undefined/],
      [
        'a name twice, of the same bytes',
        file(`{"a": ${JSON.stringify(entry([0, 8]))}, "a": ${JSON.stringify(entry([0, 8], [1, 2]))}}`, 8),
        /its header has one name twice/,
      ],
      ['a shape without end', file({ a: entry([0, 8], [1e308, 1e308, 0]) }, 8), /shape/],
      [
        'a product without end',
        file(
          {
            a: entry(
              [0, 0],
              Array(40)
                .fill(2 ** 52)
                .concat(0),
            ),
          },
          0,
        ),
        /which no file can hold/,
      ],
    ];
    await withFolder(async (folder) => {
      for (const [what, bytes, message] of cases) {
        const target = path.join(folder, 'model.safetensors');
        await writeFile(target, bytes);
        await assert.rejects(SafetensorsFile.open(target), (error: Error & { code: string }) => {
          assert.equal(error.code, 'CHECKPOINT_INVALID', what);
          assert.match(error.message, message, what);
          assert.ok(error.message.includes(target), what);
          return true;
        });
      }
    });
  });
});
