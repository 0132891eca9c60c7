/** By which rules each collection is judged: a second copy of what their publishers say; and what marked-up text holds. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { tabLines } from '../datasets/collection/tab-lines.js';
import { tableRows } from '../datasets/hub/tables.js';
import { parseSquad } from '../datasets/squad/format.js';
import { blocksOf, contentOf, plain, textAfter, withoutElements } from '../datasets/trec/tagged.js';
import type { Dataset, DatasetPlugin } from '../harness/contracts.js';
import { loadDataset } from '../harness/plugins.js';
import { fixtures, inFolder, openFolder } from './datasets-folder.js';
import { writtenFiles } from './written-files.js';

const { fileOf } = writtenFiles('strata-rules-');

const rulesOf = ({ dropsIdenticalIds, tieRule, trainsOn, answerMatching, relevantFrom }: Dataset) => ({
  ...{ dropsIdenticalIds, tieRule, trainsOn, answerMatching, relevantFrom },
});
const none = rulesOf({} as Dataset);
const beir = { ...none, dropsIdenticalIds: true, tieRule: 'trec_eval', trainsOn: 'each-positive' };

test('each dataset is judged and trained on as its publishers do', async () => {
  for (const [name, folder, variant, rules] of [
    ['beir', 'beir/nfcorpus', undefined, beir],
    ['hub', 'hub', undefined, beir],
    ['dpr', 'dpr/nq', 'nq', { ...none, answerMatching: 'string' }],
    ['squad', 'squad', undefined, { ...none, answerMatching: 'string' }],
    ['ms-marco', 'ms-marco/dl19', undefined, { ...none, trainsOn: 'each-positive' }],
    ['ms-marco', 'ms-marco/dl19', 'dl19', { ...none, trainsOn: 'each-positive', relevantFrom: 2 }],
    ['trec', 'trec', undefined, none],
  ] as const) {
    const { plugin } = (await loadDataset(variant === undefined ? name : `${name}/${variant}`)) as {
      plugin: DatasetPlugin;
    };
    const dataset = await openFolder(plugin, path.join(fixtures, folder), variant);
    assert.deepEqual(rulesOf(dataset), rules, name);
    assert.equal(plugin.variantOnly, name === 'dpr' ? true : undefined, name);
  }
});

test('a positive of DPR is relevant and no more', async () => {
  const { plugin } = await loadDataset('dpr/nq');
  const dataset = await openFolder(plugin, path.join(fixtures, 'dpr/nq'), 'nq');
  assert.deepEqual(
    (await dataset.qrels('train')).map(({ relevance }) => relevance),
    [1, 1, 1],
  );
});

test('a faulty query of BEIR is named with its file and line', () =>
  inFolder(
    {
      'corpus.jsonl': '{"_id":"d1","text":"x"}\n',
      'queries.jsonl': '{"_id":"q1","text":"x"}\n{"_id":2,"text":"y"}\n',
    },
    async (folder) => {
      const { plugin } = await loadDataset('beir');
      await assert.rejects(openFolder(plugin, folder), {
        code: 'DATA_INVALID',
        message: new RegExp(`^${path.join(folder, 'queries.jsonl')}, line 2: _id is 2`),
      });
    },
  ));

test('a copy of a repository is read without the files that git and the tools of the hub keep beside', () =>
  inFolder(
    {
      'corpus.jsonl': '{"_id":"d1","text":"x"}\n',
      'queries.jsonl': '{"_id":"q1","text":"x"}\n',
      'qrels/test.jsonl': '{"query-id":"q1","corpus-id":"d1"}\n',
      '.cache/corpus.jsonl': 'no table',
      '.hidden.jsonl': 'no table',
    },
    async (folder) => {
      const { plugin } = await loadDataset('hub');
      const dataset = await openFolder(plugin, folder);
      assert.deepEqual(dataset.files.map(({ name }) => name).sort(), [
        'corpus.jsonl',
        'qrels/test.jsonl',
        'queries.jsonl',
      ]);
    },
  ));

test('of several names of a column the first that is there is taken', async () => {
  const rows = async (text: string, names: string[]) => {
    const found: (readonly string[])[] = [];
    for await (const { values } of tableRows(fileOf(text, '.jsonl'), [{ names, kind: 'id' }]))
      found.push(values);
    return found;
  };
  assert.deepEqual(await rows('{"id":"b","_id":"a"}\n{"id":"c"}\n', ['_id', 'id']), [['a'], ['c']]);
  assert.deepEqual(await rows('{"id":"b","_id":"a"}\n', ['id', '_id']), [['b']]);
  await assert.rejects(rows('{"x":"b"}\n', ['_id', 'id']), /line 1: _id is missing/);
});

test('a line has an id of one character or more, and one tab wherever it stands', async () => {
  const lines = async (text: string) => {
    const found: string[][] = [];
    for await (const { id, text: own } of tabLines(fileOf(text))) found.push([id, own]);
    return found;
  };
  assert.deepEqual(await lines('a\t\nbc\td\n'), [
    ['a', ''],
    ['bc', 'd'],
  ]);
  await assert.rejects(lines('\t\n'), /no id before the tab/);
  await assert.rejects(lines('\t\ta\n'), /no id before the tab/);
  await assert.rejects(lines('a\t\tb\n'), /3 columns/);
});

test('a folder of MS MARCO that is not there is said to be none', async () => {
  const { plugin } = await loadDataset('ms-marco');
  const gone = path.join(fixtures, 'no-such-folder');
  await assert.rejects(openFolder(plugin, gone), {
    code: 'PATH_INVALID',
    message: `There is no folder ${gone}.`,
  });
});

test('a wrong value of SQuAD is shown up to 60 characters', () => {
  for (const [length, shown] of [
    [58, `"${'a'.repeat(58)}"`],
    [59, `"${'a'.repeat(59)}...`],
    [200, `"${'a'.repeat(59)}...`],
  ] as const)
    assert.throws(() => parseSquad(Buffer.from(JSON.stringify({ data: 'a'.repeat(length) })), 'f'), {
      code: 'DATA_INVALID',
      message: `f: data is ${shown}, and a list is needed.`,
    });
});

test('comments go with what they hold, wherever they stand; one that does not end is text', () => {
  for (const [text, expected] of [
    ['a<!-- x -->b', 'a b'],
    ['<!-- x -->a<!--y--><!--z-->b', 'a b'],
    ['a<!-- x -->b<!-- y -->c', 'a b c'],
    ['a<!---->b', 'a b'],
    ['a<!-->b-->c', 'a c'],
    ['a <b>bold</b>  <BR/> c', 'a bold c'],
    ['a < b > c', 'a < b > c'],
    ['&lt;&gt;&amp;&quot;&apos;&nbsp;x&other;', '<>&"\' x&other;'],
    ['1 -- x --> 2', '1 -- x --> 2'],
  ] as const)
    assert.equal(plain(text), expected, text);
  assert.equal(plain('a<!-- b').startsWith('a'), true);
  assert.match(plain('x<!--y-->a<!-- b'), /^x a/);
  assert.doesNotMatch(plain('x<!--y-->a<!-- b'), /y/);
});

test('elements one after another, whatever the case of their tags; one that is not closed is none', () => {
  assert.equal(contentOf('<t>a</t>x<T b="c">d</T >', 't'), 'a\nd');
  assert.equal(contentOf('<t>a<t>b</t>', 't'), 'a<t>b');
  assert.equal(contentOf('<t>a</u>', 't|u'), undefined);
  assert.equal(contentOf('<t>a<u>b</u>', 't|u'), 'b');
  assert.equal(contentOf('<u>1</u><t>a<t>b<u>2</u>', 't|u'), '1\n2');
  assert.equal(contentOf('<tt>a</tt>', 't'), undefined);
  assert.equal(contentOf('<t', 't'), undefined);
  assert.equal(withoutElements('a<t>b</t>c<t x="y">d</t>e<t>f</t>', 't'), 'a c<t x="y">d</t>e ');
  assert.equal(withoutElements('abc', 't'), 'abc');
  assert.equal(textAfter('x<t>a b<u>c', 't'), 'a b');
  assert.equal(textAfter('x<t>a b', 't'), 'a b');
  assert.equal(textAfter('x<u>a b', 't'), undefined);
});

test('blocks with their lines and attributes, several on a line and one over many', async () => {
  const blocks = async (text: string) => {
    const found: unknown[][] = [];
    for await (const { attributes, content, line } of blocksOf(fileOf(text), 'doc'))
      found.push([attributes, content, line]);
    return found;
  };
  assert.deepEqual(
    await blocks('x<doc>a</doc>y<DOC n="1">b</DOC>\n\n<doc\n n="2"\n>c\nd</doc >z<doc>e</doc>\n'),
    [
      ['', 'a', 1],
      [' n="1"', 'b', 1],
      ['\n n="2"\n', 'c\nd', 3],
      ['', 'e', 6],
    ],
  );
  const lines = Array.from({ length: 10_000 }, (_, i) => i).join('\n');
  assert.deepEqual(await blocks(`<doc\n${lines}>${lines}\n</doc>\n`), [[`\n${lines}`, `${lines}\n`, 1]]);
  assert.deepEqual(await blocks('<documents>\n</documents>\n'), []);
  for (const [text, line] of [
    ['<doc>a</doc>\n<doc>b\n', 2],
    ['\n<doc\n', 2],
    ['<doc n="1"\n', 1],
  ] as const)
    await assert.rejects(blocks(text), {
      code: 'DATA_INVALID',
      message: new RegExp(`, line ${line}: <doc> opens and is not closed\\.$`),
    });
});
