/** SentencePiece's character map read from a trie that is made here: its keys, graphemes, and what is cut. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Charsmap } from '../harness/text/charsmap.js';

/**
 * A double array as darts-clone lays it out (Yata 2009): a unit holds a label in its lowest 8 bits, in bit 8 whether a key ends
 * there, and above bit 10 how far its children lie, times 256 where bit 9 is set.
 * @param isFar whether distances are written in the second way
 */
function trieOf(texts: Readonly<Record<string, string>>, isFar: boolean): Buffer {
  interface Node {
    children: Map<number, Node>;
    value?: number;
  }
  const root: Node = { children: new Map() };
  const ends: Buffer[] = [];
  let position = 0;
  for (const [key, text] of Object.entries(texts)) {
    let node = root;
    for (const byte of Buffer.from(key)) {
      const next = node.children.get(byte) ?? { children: new Map() };
      node.children.set(byte, next);
      node = next;
    }
    node.value = position;
    ends.push(Buffer.from(`${text}\0`));
    position += ends.at(-1)!.length;
  }
  const units = new Map<number, number>();
  let block = 0;
  const lay = (node: Node, at: number, label: number) => {
    // A block of its own for each node; far ones begin at the node's own place in the block.
    block += 256;
    const base = block + (isFar ? at % 256 : 0);
    const offset = at ^ base;
    const distance = isFar ? ((offset >>> 8) << 10) | 0x200 : offset << 10;
    units.set(at, (distance | label | (node.value === undefined ? 0 : 0x100)) >>> 0);
    if (node.value !== undefined) units.set(base, (node.value | 0x80000000) >>> 0);
    for (const [byte, child] of node.children) lay(child, base ^ byte, byte);
  };
  lay(root, 0, 0);
  const trie = Buffer.alloc(4 * (block + 256));
  for (const [at, unit] of units) trie.writeUInt32LE(unit, 4 * at);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(trie.length);
  return Buffer.concat([length, trie, ...ends]);
}

const texts = { x: 'yy', é: 'e', '\r\n': ' ', e: 'E', 中文: 'Z', ﬁ: 'fi', '\u200b': '' };

for (const isFar of [false, true]) {
  test(`characters and short graphemes become what their keys say, distances ${isFar ? 'of both kinds' : 'near'}`, () => {
    const map = Charsmap.read(trieOf(texts, isFar).toString('base64'));
    for (const [given, expected] of [
      ['', ''],
      ['axa', 'ayya'],
      ['é', 'e'],
      ['\r\n', ' '],
      ['\r', '\r'],
      ['\n\r', '\n\r'],
      ['a\r\nx', 'a yy'],
      ['ﬁx', 'fiyy'],
      ['a\u200bb', 'ab'],
      // A grapheme of up to five bytes is looked up whole, and the shortest key it begins with stands for all of it.
      ['e\u0301', 'E'],
      ['e\u0301\u0301', 'E'],
      ['e\u0301\u0301\u0301', 'E\u0301\u0301\u0301'],
      ['a\u0301x', 'a\u0301yy'],
      // Two graphemes are two, whatever the keys.
      ['中文', '中文'],
      ['中x', '中yy'],
      ['\0x', '\0yy'],
      ['😀x', '😀yy'],
    ] as const)
      assert.equal(map.normalize(given), expected, JSON.stringify(given));
    // The same again, from what was kept.
    assert.equal(map.normalize('xexé'), 'yyEyye');
  });
}

test('the last text may end with the file', () => {
  const blob = trieOf({ x: 'last' }, false);
  assert.equal(Charsmap.read(blob.subarray(0, -1).toString('base64')).normalize('x'), 'last');
});

test('a map that is cut, or whose trie has no whole units, is refused with its length', () => {
  const blob = (trieBytes: number, length: number) => {
    const bytes = Buffer.alloc(length);
    bytes.writeUInt32LE(trieBytes);
    return bytes.toString('base64');
  };
  for (const [given, length] of [
    ['', 0],
    [Buffer.alloc(3, 1).toString('base64'), 3],
    [blob(0, 4), 4],
    [blob(0, 8), 8],
    [blob(4, 7), 7],
    [blob(8, 11), 11],
    [blob(5, 12), 12],
    [blob(6, 20), 20],
    [blob(1, 8), 8],
  ] as const)
    assert.throws(() => Charsmap.read(given), {
      message: `its precompiled_charsmap of ${length} bytes is cut short`,
    });
  assert.equal(Charsmap.read(blob(4, 8)).normalize('a'), 'a');
});
