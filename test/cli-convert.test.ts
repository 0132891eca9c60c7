/** `bench convert`: every format into every other and back, and what cannot be converted. */
import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import { execute } from '../harness/cli/command.js';
import { command } from '../harness/cli/convert.js';
import { command as evaluate } from '../harness/cli/evaluate.js';
import { BenchError } from '../harness/errors.js';
import { ownerThatEnded } from './other-owners.js';

let folder: string;
before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'strata-convert-'));
  const passages = ['1\tOn Paris, the capital.\tParis', '2\tOn Rome.\tRome', '3\tParis again\tLes Halles'];
  await write('psgs_w100.tsv', `id\ttext\ttitle\n${passages.join('\n')}\n`);
  await write('nq-test.qa.csv', "capital of france\t['Paris']\nand of italy\t['Rome', 'Roma']\n");
});
after(() => rm(folder, { recursive: true, force: true }));

async function write(name: string, content: string | Buffer): Promise<string> {
  const file = path.join(folder, name);
  await writeFile(file, content);
  return file;
}

async function convert(...argv: string[]): Promise<string> {
  let text = '';
  const code = await execute('convert', command, argv, (part) => {
    text += part;
  });
  assert.equal(code, 0);
  return text;
}

const read = (name: string) => readFile(path.join(folder, name), 'utf8');
const searched = () => ['--dataset', 'dpr/nq', '--data', folder];

// Lines are not in the order of the scores; query test-1 has a tie, ordered by rank.
const trec = 'test-0 Q0 1 2 3.5 sys\ntest-0 Q0 3 1 7.25 sys\ntest-1 Q0 2 2 1 sys\ntest-1 Q0 1 1 1 sys\n';
const sorted = 'test-0 Q0 3 1 7.25 sys\ntest-0 Q0 1 2 3.5 sys\ntest-1 Q0 1 1 1 sys\ntest-1 Q0 2 2 1 sys\n';

test('a run goes through every format and comes back in the order of its scores', async () => {
  let file = await write('a.run.gz', gzipSync(trec));
  for (const [to, from] of [
    ['tevatron', 'trec'],
    ['dpr', 'tevatron'],
    ['tevatron', 'dpr'],
    ['dpr', 'tevatron'],
    ['trec', 'dpr'],
  ] as const) {
    const out = path.join(folder, `${from}-${to}`);
    const tag = to === 'trec' ? ['--tag', 'sys'] : [];
    const text = await convert('--run', file, '--to', to, '--out', out, ...tag, ...searched());
    assert.match(text, new RegExp(`^${from} to ${to}: 4 hits of 2 queries`));
    file = out;
  }
  assert.equal(await readFile(file, 'utf8'), sorted);
});

test("BEIR's format keeps scores, and ties by its reader's rule", async () => {
  const run = await write('b.run', trec);
  await convert('--run', run, '--to', 'beir', '--out', path.join(folder, 'b.json'));
  assert.deepEqual(JSON.parse(await read('b.json')), {
    'test-0': { 3: 7.25, 1: 3.5 },
    'test-1': { 1: 1, 2: 1 },
  });
  await convert(
    '--run',
    path.join(folder, 'b.json'),
    '--to',
    'trec',
    '--out',
    path.join(folder, 'b.back.gz'),
    '--tag',
    'x',
  );
  const back = gunzipSync(await readFile(path.join(folder, 'b.back.gz'))).toString();
  assert.equal(back.split('\n')[2], 'test-1 Q0 2 1 1 x');
});

test("DPR's format holds questions, answers, texts and which of them hold an answer", async () => {
  const run = await write('c.run', 'test-1 Q0 2 1 2 s\ntest-1 Q0 1 2 1 s\n');
  await convert('--run', run, '--to', 'dpr', '--out', path.join(folder, 'c.json'), ...searched());
  assert.deepEqual(JSON.parse(await read('c.json')), [
    { question: 'capital of france', answers: ['Paris'], ctxs: [] },
    {
      question: 'and of italy',
      answers: ['Rome', 'Roma'],
      ctxs: [
        { id: '2', title: 'Rome', text: 'On Rome.', score: '2', has_answer: true },
        { id: '1', title: 'Paris', text: 'On Paris, the capital.', score: '1', has_answer: false },
      ],
    },
  ]);
  const text = await convert(
    '--run',
    path.join(folder, 'c.json'),
    '--to',
    'trec',
    '--out',
    path.join(folder, 'c.run'),
  );
  assert.match(text, /numbered from 0/);
  assert.match(await read('c.run'), /^1 Q0 2 1 2 c\.json$/m);
});

test("DPR's file is measured against the dataset that was searched, whose ids it lacks", async () => {
  const run = await write('g.run', 'test-0 Q0 2 1 2 s\ntest-0 Q0 3 2 1 s\ntest-1 Q0 2 1 2 s\n');
  const dpr = path.join(folder, 'g.json');
  await convert('--run', run, '--to', 'dpr', '--out', dpr, ...searched());
  for (const file of [run, dpr]) {
    let text = '';
    const argv = ['--run', file, ...searched(), '--measure', 'answer@1,answer@5', '--cache', folder];
    await execute('evaluate', evaluate, argv, (part) => {
      text += part;
    });
    assert.match(text, /^all +0\.5000 +1\.0000$/m);
  }
});

test('what cannot be converted is said', async () => {
  const run = await write('d.run', trec);
  const out = path.join(folder, 'never');
  const cases: [string[], string, RegExp][] = [
    [['--run', run, '--to', 'dpr', '--out', out], 'USAGE', /--dataset/],
    [['--run', run, '--to', 'trek', '--out', out], 'UNKNOWN_NAME', /Did you mean 'trec'/],
    [['--run', run, '--to', 'beir', '--out', out, '--split', 'dev'], 'USAGE', /--dataset/],
    [
      ['--run', run, '--to', 'beir', '--out', out, '--tag', 'x'],
      'USAGE',
      /--tag x plays no part in --to beir/,
    ],
    [['--run', run, '--to', 'trec', '--out', out, '--tag', 'x y'], 'DATA_INVALID', /tag "x y"/],
    // Before anything is read: the run is none.
    [['--run', folder, '--to', 'trec', '--out', folder], 'PATH_INVALID', /a folder has that name/],
    [['--run', folder, '--to', 'trec', '--out', path.join(run, 'x')], 'PATH_INVALID', /a file is in its way/],
    [
      ['--run', run, '--run-format', 'beir', '--to', 'trec', '--out', out],
      'RECORD_INVALID',
      /an object begins with {/,
    ],
    [
      ['--run', run, '--run-format', 'tevatron', '--to', 'trec', '--out', out],
      'RECORD_INVALID',
      /said to be tevatron/,
    ],
    [
      ['--run', await write('e.run', 'x Q0 1 1 1 s\n'), '--to', 'dpr', '--out', out, ...searched()],
      'RECORD_INVALID',
      /hits for 1 query that dpr\/nq, test, does not have: 'x'/,
    ],
    [
      ['--run', await write('f.run', 'test-0 Q0 99 1 1 s\n'), '--to', 'dpr', '--out', out, ...searched()],
      'DATA_INVALID',
      /passage '99'/,
    ],
  ];
  for (const [argv, code, pattern] of cases) {
    await assert.rejects(convert(...argv), (error) => {
      assert.ok(error instanceof BenchError, String(error));
      assert.equal(error.code, code, error.message);
      assert.match(`${error.message}\n${error.hint}`, pattern);
      return true;
    });
  }
  await assert.rejects(readFile(out), { code: 'ENOENT' });
});

test('what was there stays until all is written, and what a killed process left goes', async () => {
  const run = await write('b.run', trec);
  const out = await write('kept.json', 'as it was');
  const stranger = await write('stranger.run', 'test-0 Q0 99 1 5.5 sys\n');
  await assert.rejects(convert('--run', stranger, '--to', 'dpr', '--out', out, ...searched()), /'99'/);
  assert.equal(await readFile(out, 'utf8'), 'as it was');
  await write(`kept.json.partial-${ownerThatEnded()}-00000000`, 'half');
  await convert('--run', run, '--to', 'beir', '--out', out);
  const left = (await readdir(folder)).filter((name) => name.startsWith('kept.json'));
  assert.deepEqual(left, ['kept.json']);
  assert.equal(JSON.parse(await readFile(out, 'utf8'))['test-0'][3], 7.25);
});
