/** Which files of a repository are what: patterns of paths, shards, and READMEs of every kind. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { layoutOf } from '../datasets/hub/layout.js';

/** Whether a pattern of a README takes a path. */
function takes(pattern: string, file: string): boolean {
  const readme = `---\nconfigs:\n- config_name: corpus\n  data_files: ${JSON.stringify(pattern)}\n---\n`;
  return layoutOf([file], readme).corpus.length === 1;
}

/** The rule in the plainest way: stars within a name, two of them for whole folders, one mark for one character. */
function expectedFit(pattern: string, file: string): boolean {
  const source = pattern
    .split('/')
    .map((part, i, all) => {
      if (part === '**') return i === all.length - 1 ? '.+' : '(?:[^/]+/)*';
      const own = part.replace(/[.]/g, '\\.').replaceAll('*', '[^/]*').replaceAll('?', '[^/]');
      return i === all.length - 1 ? own : `${own}/`;
    })
    .join('');
  return new RegExp(`^${source}$`).test(file);
}

test('a pattern takes the paths that it takes by the plainest reading of it', () => {
  const files = [
    ...['a.tsv', 'b.tsv', 'ab.tsv', 'aab.tsv', 'x/a.tsv', 'x/b.tsv', 'x/ab.tsv', 'y/a.tsv', 'x/y/a.tsv'],
    ...['x/y/ab.tsv', 'x/y/z/a.tsv', 'x/x/a.tsv', 'x/a/x/a.tsv', 'xy/a.tsv'],
  ];
  const patterns = [
    ...['a.tsv', '*', '*.tsv', '?.tsv', '??.tsv', 'a*.tsv', '*b.tsv', 'a*b.tsv', '*a*', '?*.tsv', '**'],
    ...[
      'x/*',
      'x/?.tsv',
      '*/a.tsv',
      '*/*',
      'x/**',
      'x/y/**',
      '**/a.tsv',
      '**/?b.tsv',
      '**/y/*',
      '**/x/a.tsv',
    ],
    ...['x/**/a.tsv', '**/y/**', '*/**/a.tsv', '**/z/a.tsv', 'x*/a.tsv', '?/a.tsv', '**/*b.tsv', 'a.tsv/*'],
    ...['*a', 'a', 'x', 'x/a.tsv/b', '*/*/*', '**/**', 'aa*b.tsv', '*ab*', '**/x/**/a.tsv'],
  ];
  for (const pattern of patterns)
    for (const file of files)
      assert.equal(takes(pattern, file), expectedFit(pattern, file), `${pattern} of ${file}`);
});

test('a pattern that is long, or goes down folders in three places, takes nothing', () => {
  for (const length of [500, 501]) {
    const name = `${'a'.repeat(length - 4)}.tsv`;
    assert.equal(takes(name, name), length === 500);
  }
  assert.equal(takes('**/x/**', 'y/x/a.tsv'), true);
  assert.equal(takes('**/x/**/y/**', 'z/x/y/a.tsv'), false);
  assert.equal(takes('./x/a.tsv', 'x/a.tsv'), true);
});

test('tables are Parquet, JSON lines and tabs, the latter two packed or not', () => {
  for (const [file, isTable] of [
    ...[['a.parquet', true] as const, ['a.jsonl', true] as const, ['a.jsonl.gz', true] as const],
    ...[['a.tsv', true] as const, ['a.tsv.gz', true] as const, ['a.json', false] as const],
    ...[['a.parquet.gz', false] as const, ['parquet', false] as const, ['a.tsv.bak', false] as const],
  ])
    assert.equal(takes('**', file), isTable, file);
});

const corpusOf = (config: string) =>
  layoutOf(['x/a.tsv', 'x/b.tsv'], `---\nconfigs:\n${config}\n---\n`).corpus;

test('configurations that are none are passed over, and those behind them are not', () => {
  const good = '- {config_name: corpus, data_files: x/a.tsv}';
  for (const wrong of ['- 7', '- null', '- [a]', '- {config_name: 7, data_files: x/b.tsv}', '- text'])
    assert.deepEqual(corpusOf(`${wrong}\n${good}`), ['x/a.tsv'], wrong);
  // A folder may be written with a slash before or behind, or a dot.
  for (const folder of ['x', 'x/', '/x', './x', './x//'])
    assert.deepEqual(
      corpusOf(`- {config_name: corpus, data_dir: ${folder}}`),
      ['x/a.tsv', 'x/b.tsv'],
      folder,
    );
  assert.deepEqual(
    corpusOf(
      '- {config_name: corpus, data_files: [{split: s, path: x/a.tsv}, {split: s, path: [x/b.tsv, 7]}]}',
    ),
    ['x/a.tsv', 'x/b.tsv'],
  );
  assert.deepEqual(corpusOf('- {config_name: corpus, data_files: [{split: 7, path: x/a.tsv}]}'), []);
  assert.deepEqual(corpusOf('- {config_name: corpus, data_files: [{split: s, path: 7}]}'), []);
});

test('what is not there is said: configurations, files of several, and which of them may lie elsewhere', () => {
  const of = (files: string[], names: string[], more = '') =>
    layoutOf(
      files,
      `---\n${more}configs:\n${names.map((name) => `- {config_name: ${name}, data_files: "${name}/*"}`).join('\n')}\n---\n`,
    );
  const all = ['corpus/a.tsv', 'queries/a.tsv', 'qrels/test.tsv'];
  const whole = of(all, ['corpus', 'queries', 'qrels']);
  assert.deepEqual(
    [whole.missing, whole.missingQrels, whole.unread, whole.namesNoQrels],
    [[], [], [], false],
  );
  assert.equal('licence' in whole, false);
  assert.equal(of(all, ['corpus'], 'license: mit\n').licence, 'mit');
  assert.equal('licence' in of(all, ['corpus'], 'license: [mit]\n'), false);
  const some = of(all, ['corpus', 'other', 'query-instructions']);
  assert.deepEqual(some.missing, [
    "it has no files of a configuration 'queries'; its README has corpus, other, query-instructions",
    "its configuration 'query-instructions' belongs to the queries, which are searched as their text alone",
  ]);
  assert.deepEqual(some.missingQrels, [
    "it has no files of a configuration 'qrels' or 'default'; its README has corpus, other, query-instructions",
  ]);
  assert.deepEqual([some.unread, some.namesNoQrels], [['other', 'query-instructions'], true]);
  assert.equal(of(all, ['corpus', 'default']).namesNoQrels, false);
  const none = layoutOf([], undefined);
  assert.deepEqual(
    none.missing,
    ['corpus', 'queries'].map((name) => `it has no files of a configuration '${name}'`),
  );
  assert.equal(none.namesNoQrels, false);
  const shards = [
    'corpus/a-00000-of-00003.parquet',
    'corpus/a-00002-of-00003.parquet',
    'corpus/b-00000-of-00001.tsv',
  ];
  const cut = layoutOf([...shards, 'queries.tsv', 'qrels/test-00001-of-00002.tsv'], undefined);
  assert.deepEqual(cut.missing, ['2 of the 3 files corpus/a-*-of-00003']);
  assert.deepEqual(cut.missingQrels, ['1 of the 2 files qrels/test-*-of-00002']);
  assert.deepEqual([...cut.qrels.keys()], ['test']);
});

test('the head of a README stands between dashes at its beginning, and is refused where it is no YAML', () => {
  const files = ['x/a.tsv'];
  const config = 'configs:\n- {config_name: corpus, data_files: x/a.tsv}';
  for (const [readme, count] of [
    [`---\n${config}\n---\n`, 1],
    [`\ufeff---\r\n${config}\r\n---\r\n`, 1],
    [`text\n---\n${config}\n---\n`, 0],
    [`---\n${config}\n`, 0],
    ['---\n- a\n---\n', 0],
  ] as const)
    assert.equal(layoutOf(files, readme).corpus.length, count, JSON.stringify(readme));
  assert.throws(() => layoutOf(files, '---\na: [\n---\n'), {
    code: 'DATA_INVALID',
    message: /^The head of README\.md is no YAML: /,
  });
});

test('without a README: folders or names, and qrels in their folder, in data, or beside the rest', () => {
  const { corpus, queries, qrels } = layoutOf(
    [
      ...[
        'corpus.tsv',
        'queries/any-00000-of-00001.tsv',
        'queries/any.jsonl',
        'qrels/test.tsv',
        'data/dev.tsv',
      ],
      ...['train.tsv', 'other/test.tsv', 'qrels/deep/test.tsv', 'data/test.tsv'],
    ],
    undefined,
  );
  assert.deepEqual(corpus, ['corpus.tsv']);
  assert.deepEqual(queries, ['queries/any-00000-of-00001.tsv', 'queries/any.jsonl']);
  assert.deepEqual(Object.fromEntries(qrels), {
    test: ['qrels/test.tsv', 'data/test.tsv'],
    dev: ['data/dev.tsv'],
    train: ['train.tsv'],
  });
});
