import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, test } from 'node:test';
import { type NamedTensor, SafetensorsFile, writeSafetensors } from '../harness/model/safetensors.js';
import { inFixtures } from './places.js';

const fixtures = inFixtures('model');

async function withFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(path.join(tmpdir(), 'strata-'));
  try {
    await work(folder);
  } finally {
    await rm(folder, { recursive: true });
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
