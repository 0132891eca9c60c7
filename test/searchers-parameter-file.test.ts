/** Files of FAISS written by hand as its format has them: what is found in them, and every number that is wrong. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import {
  assertSettable,
  copyWithParameter,
  findSearchParameter,
} from '../harness/searchers/faiss/parameter-file.js';
import { i32, i64, letters, u8 } from './little-endian.js';
import { writtenFiles } from './written-files.js';

const { folder, fileOf } = writtenFiles('strata-parameter-');

const vector = (elements: number, elementBytes: number) => [
  i64(elements),
  Buffer.alloc(elements * elementBytes, 9),
];

interface Header {
  dimensions?: number;
  rows?: number;
  placeholders?: [number, number];
  trained?: number;
  metric?: number;
}
function header({
  dimensions = 8,
  rows = 5,
  placeholders = [2 ** 20, 2 ** 20],
  trained = 1,
  metric = 0,
}: Header) {
  return [i32(dimensions), i64(rows), ...placeholders.map(i64), u8(trained), i32(metric)];
}
interface Inverted extends Header {
  lists?: number;
  nprobe?: number;
  quantizer?: string;
}
const inverted = ({ lists = 16, nprobe = 3, quantizer = 'IxFI', ...own }: Inverted = {}, kind = 'IwFl') =>
  Buffer.concat([letters(kind), ...header(own), i64(lists), i64(nprobe), letters(quantizer)]);
interface Graph extends Header {
  levels?: number;
  starts?: number;
  construction?: number;
  search?: number;
  beam?: number;
  storage?: string;
}
function graph(
  { levels = 5, starts = 6, construction = 40, search = 16, beam = 1, storage = 'IxFI', ...own }: Graph = {},
  kind = 'IHNf',
) {
  return Buffer.concat([
    ...[letters(kind), ...header(own), ...vector(3, 8), ...vector(4, 4), ...vector(levels, 4)],
    ...[...vector(starts, 8), ...vector(7, 4), i32(2), i32(1), i32(construction), i32(search), i32(beam)],
    letters(storage),
  ]);
}

test('nprobe and efSearch are found where they stand, behind wrappers and transforms too', async () => {
  const found = (...parts: Buffer[]) => findSearchParameter(fileOf(Buffer.concat(parts)));
  for (const kind of ['IwFl', 'IwFd', 'IwSq', 'IwPQ', 'IwQR', 'IwPf'])
    assert.deepEqual(
      await found(inverted({}, kind)),
      { name: 'nprobe', value: 3, offset: 45, bytes: 8, largest: 16 },
      kind,
    );
  for (const kind of ['IHNf', 'IHNs', 'IHNp', 'IHN2'])
    assert.deepEqual(
      await found(graph({}, kind)),
      { name: 'efSearch', value: 16, offset: 37 + 32 + 24 + 28 + 56 + 36 + 12, bytes: 4 },
      kind,
    );
  for (const kind of ['IxRF', 'IxMp', 'IxM2'])
    assert.equal((await found(letters(kind), ...header({}), inverted()))!.offset, 37 + 45, kind);
  assert.equal(await found(letters('IxFI'), ...header({})), undefined);
  const transforms: Record<string, Buffer[]> = {
    Pcam: [
      Buffer.alloc(13),
      ...vector(2, 4),
      ...vector(3, 4),
      ...vector(1, 4),
      u8(1),
      ...vector(2, 4),
      ...vector(0, 4),
    ],
    rrot: [u8(0), ...vector(4, 4), ...vector(0, 4)],
    LTra: [u8(1), ...vector(4, 4), ...vector(2, 4)],
    RmDT: vector(8, 4),
    VCnt: vector(3, 4),
    VNrm: [Buffer.alloc(4)],
  };
  const behind = (names: string[]) => {
    const all = names.flatMap((name) => [letters(name), ...transforms[name]!, Buffer.alloc(9)]);
    return Buffer.concat([letters('IxPT'), ...header({}), i32(names.length), ...all]);
  };
  for (const names of [[], ...Object.keys(transforms).map((name) => [name]), Object.keys(transforms)]) {
    const before = behind(names);
    assert.equal((await found(before, inverted()))?.offset, before.length + 45, names.join());
  }
  assert.equal(await found(letters('IxPT'), ...header({}), i32(1), letters('Othe'), inverted()), undefined);
  for (const count of [-1, 100])
    await assert.rejects(found(letters('IxPT'), ...header({}), i32(count)), /: -?\d+ transforms/);
  await assert.rejects(found(letters('IxPT'), ...header({}), i32(99)), /ends before byte/);
});

test('numbers at the edge of what the format has are taken, those beyond are refused by name', async () => {
  const taken = async (bytes: Buffer) => assert.ok(await findSearchParameter(fileOf(bytes)));
  const refused = (bytes: Buffer, message: RegExp) =>
    assert.rejects(findSearchParameter(fileOf(bytes)), { code: 'CACHE_INVALID', message });
  for (const own of [{ dimensions: 1 }, { trained: 0 }, { metric: 1 }]) {
    await taken(inverted(own));
    await taken(graph(own));
  }
  await taken(inverted({ rows: 0 }));
  await taken(graph({ rows: 0, levels: 0, starts: 1 }));
  await taken(inverted({ lists: 1, nprobe: 1 }));
  await taken(graph({ construction: 1, search: 1 }));
  for (const [own, message] of [
    [{ dimensions: 0 }, /5 rows of 0 dimensions/],
    [{ dimensions: -1 }, /5 rows of -1 dimensions/],
    [{ rows: -1 }, /-1 rows of 8 dimensions/],
    [{ placeholders: [2 ** 20, 2 ** 20 + 1] }, /1048576 and 1048577 where 2\^20 stands twice/],
    [{ placeholders: [0, 2 ** 20] }, /0 and 1048576 where/],
    [{ trained: 2 }, /2 for whether it is trained/],
    [{ metric: 2 }, /metric 2/],
    [{ metric: -1 }, /metric -1/],
  ] as [Header, RegExp][]) {
    await refused(inverted(own), message);
    await refused(graph(own), message);
  }
  for (const [own, message] of [
    [{ lists: 0 }, /nprobe 3 of 0 lists/],
    [{ lists: -1 }, /nprobe 3 of -1 lists/],
    [{ nprobe: 0 }, /nprobe 0 of 16 lists/],
    [{ nprobe: -2 }, /nprobe -2 of 16 lists/],
    [{ quantizer: 'xxFI' }, /the quantizer 'xxFI'/],
    [{ quantizer: 'Ix_I' }, /the quantizer 'Ix_I'/],
  ] as [Inverted, RegExp][])
    await refused(inverted(own), message);
  for (const [own, message] of [
    [{ levels: 4 }, /4 levels of 5 rows/],
    [{ levels: 6 }, /6 levels of 5 rows/],
    [{ starts: 5 }, /5 levels of 5 rows/],
    [{ starts: 7 }, /5 levels of 5 rows/],
    [{ construction: 0 }, /efConstruction 0, efSearch 16/],
    [{ search: 0 }, /efConstruction 40, efSearch 0/],
    [{ beam: 2 }, /a beam of 2, then 'IxFI'/],
    [{ beam: 0 }, /a beam of 0, then 'IxFI'/],
    [{ storage: 'AxFI' }, /a beam of 1, then 'AxFI'/],
  ] as [Graph, RegExp][])
    await refused(graph(own), message);
  await refused(letters('Ix I'), /the letters 'Ix I'/);
  const negative = Buffer.concat([letters('IHNf'), ...header({}), i64(-1), Buffer.alloc(200)]);
  await refused(negative, /a vector of -1 numbers/);
});

test('a file that ends anywhere before is refused', async () => {
  for (const whole of [inverted(), graph()])
    for (let length = 0; length < whole.length; length++)
      await assert.rejects(
        findSearchParameter(fileOf(whole.subarray(0, length))),
        { code: 'CACHE_INVALID' },
        `${length}`,
      );
});

test('a copy has the other value in its place and is else the same; where the file has changed there is none', async () => {
  for (const [bytes, width] of [
    [inverted(), 8],
    [graph(), 4],
  ] as const) {
    const file = fileOf(bytes);
    const parameter = (await findSearchParameter(file))!;
    const copy = await copyWithParameter(file, parameter, 12);
    const expected = Buffer.from(bytes);
    expected.fill(0, parameter.offset, parameter.offset + width).writeUInt8(12, parameter.offset);
    assert.deepEqual(readFileSync(copy), expected);
    assert.deepEqual(readFileSync(file), bytes);
    const files = readdirSync(folder).length;
    for (const other of [
      { ...parameter, value: parameter.value + 1 },
      { ...parameter, offset: parameter.offset + 1 },
    ])
      await assert.rejects(copyWithParameter(file, other, 12), {
        code: 'CACHE_INVALID',
        message: `${file} has changed: ${parameter.name} ${other.value} is not where it was.`,
      });
    assert.equal(readdirSync(folder).length, files);
  }
});

test('a value can be set where the parameter is, up to the number of lists', () => {
  const nprobe = { name: 'nprobe', value: 1, largest: 16 };
  assertSettable(nprobe, 'nprobe', [1, 16, 2], 'IVF16,Flat');
  assertSettable({ name: 'efSearch', value: 1 }, 'efSearch', [1e6], 'HNSW32');
  assert.throws(() => assertSettable(nprobe, 'nprobe', [17, 1], 'IVF16,Flat'), {
    code: 'CONFIG_INVALID',
    message: "index.nprobe: 17 is more than the 16 lists of an index 'IVF16,Flat'.",
    hint: 'With 16 every list is visited.',
  });
  assert.throws(() => assertSettable(nprobe, 'efSearch', [1], 'IVF16,Flat'), {
    message: "index.efSearch cannot be set for an index 'IVF16,Flat', whose search parameter is nprobe.",
  });
  assert.throws(() => assertSettable(undefined, 'nprobe', [1], 'Flat'), {
    code: 'CONFIG_INVALID',
    message: "index.nprobe cannot be set for an index 'Flat'.",
  });
});
