/** Files of usearch written by hand as its format has them: taken where every number fits, and refused by the one that does not. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertGraphFile, type GraphLayout } from '../harness/searchers/usearch/graph-file.js';
import { i16, i64, letters, u8, u16, u32 } from './little-endian.js';
import { writtenFiles } from './written-files.js';

const { fileOf } = writtenFiles('strata-graph-');

const layout: GraphLayout = { links: 2, scalar: 'f16', dimensions: 3, rows: 3 };
/** Rows 0 to 2, of which the second stands in layer 1 as well; each row links the others of its layer. */
function usearch(change: Partial<Record<string, number>> = {}): Buffer {
  const of = (name: string, usual: number) => change[name] ?? usual;
  const links = (count: number, room: number, rows: number[]) => [
    u32(count),
    ...Array.from({ length: room }, (_, i) => u32(rows[i] ?? 0)),
  ];
  const head = Buffer.concat([
    ...[
      letters('usearch'),
      u16(of('version', 2)),
      u16(0),
      u16(0),
      u8(of('metric', 105)),
      u8(of('scalar', 12)),
    ],
    ...[
      u8(of('key', 14)),
      u8(of('slot', 15)),
      i64(of('rows', 3)),
      i64(of('deleted', 0)),
      i64(of('dimensions', 3)),
      u8(0),
    ],
  ]);
  const levels = [0, of('level', 1), 0];
  return Buffer.concat([
    ...[u32(of('heldRows', 3)), u32(of('rowBytes', 6)), Buffer.alloc(18, 1)],
    ...[head, Buffer.alloc(64 - head.length)],
    ...[of('nodes', 3), of('upper', 2), of('lowest', 4), of('top', 1), of('entry', 1)].map(i64),
    ...levels.map(i16),
    ...[i64(0), i16(0), ...links(2, 4, [1, 2])],
    ...[i64(of('key1', 1)), i16(of('ownLevel', 1)), ...links(of('count', 2), 4, [of('link', 0), 2])],
    ...links(of('upperCount', 0), 2, [of('upperLink', 0)]),
    ...[i64(2), i16(0), ...links(0, 4, [])],
  ]);
}

test('a graph of usearch is taken where every number fits, and refused by the one that does not', async () => {
  const whole = usearch();
  await assertGraphFile(fileOf(whole), layout);
  // As many links as there is room for, and to a row of the same layer.
  await assertGraphFile(fileOf(usearch({ count: 4 })), layout);
  await assertGraphFile(fileOf(usearch({ upperCount: 1, upperLink: 1 })), layout);
  for (const [change, message] of [
    [{ heldRows: 4 }, /4 rows where there are 3/],
    [{ heldRows: 2 }, /2 rows where there are 3/],
    [{ rowBytes: 7 }, /7 bytes a row of 3 numbers in f16/],
    [{ version: 3 }, /'usearch' of version 3/],
    [{ version: 1 }, /'usearch' of version 1/],
    [{ metric: 99 }, /types 99,12,14,15 where 105,12,14,15 are meant/],
    [{ scalar: 11 }, /types 105,11,14,15/],
    [{ key: 13 }, /types 105,12,13,15/],
    [{ slot: 16 }, /types 105,12,14,16/],
    [{ rows: 2 }, /rows, deleted and dimensions 2,0,3/],
    [{ deleted: 1 }, /rows, deleted and dimensions 3,1,3/],
    [{ dimensions: 4 }, /rows, deleted and dimensions 3,0,4/],
    [{ nodes: 2 }, /2 rows, 2 and 4 links/],
    [{ upper: 3 }, /3 rows, 3 and 4 links/],
    [{ lowest: 3 }, /3 rows, 2 and 3 links/],
    [{ top: 0 }, /a walk that begins at row 1, layer 0/],
    [{ top: 2 }, /a walk that begins at row 1, layer 2/],
    [{ entry: 3 }, /a walk that begins at row 3, layer 1/],
    [{ entry: 0 }, /a walk that begins at row 0, layer 1/],
    [{ level: 2, top: 2 }, /bytes where \d+ are meant/],
    [{ level: 0, top: 0 }, /bytes where \d+ are meant/],
    [{ level: -1, top: 0, entry: 0 }, /a row in layer -1 of 0/],
    [{ level: 2, top: 0, entry: 0 }, /a row in layer 2 of 0/],
    [{ key1: 2 }, /key 2 and layer 1 of row 1/],
    [{ ownLevel: 0 }, /key 1 and layer 0 of row 1/],
    [{ count: 5 }, /5 links of row 1 where there is room for 4/],
    [{ upperCount: 3 }, /3 links of row 1 where there is room for 2/],
    [{ link: 3 }, /a link of row 1 to row 3, layer 0/],
    [{ upperCount: 1, upperLink: 0 }, /a link of row 1 to row 0, layer 1/],
  ] as [Record<string, number>, RegExp][])
    await assert.rejects(
      assertGraphFile(fileOf(usearch(change)), layout),
      { code: 'CACHE_INVALID', message },
      JSON.stringify(change),
    );
  for (const [scalar, bytes] of [
    ['f32', 12],
    ['i8', 3],
  ] as const)
    await assert.rejects(
      assertGraphFile(fileOf(whole), { ...layout, scalar }),
      /6 bytes a row of 3 numbers/,
      `${bytes}`,
    );
  for (let length = 0; length < whole.length; length++)
    await assert.rejects(
      assertGraphFile(fileOf(whole.subarray(0, length)), layout),
      { code: 'CACHE_INVALID' },
      `${length}`,
    );
  await assert.rejects(
    assertGraphFile(fileOf(Buffer.concat([whole, u8(0)])), layout),
    /\d+ bytes where \d+ are meant/,
  );
});
