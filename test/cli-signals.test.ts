/** Ctrl-C and SIGTERM in the middle of a file or of a stage: the command ends soon, with 130, and nothing half-written stays. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync, writeFileSync } from 'node:fs';
import { appendFile, mkdir, mkdtemp, rm, truncate } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, type TestContext, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { tarOf } from '../harness/perf/made-archives.js';
import { tinySettings } from './made-squad.js';
import { cli } from './places.js';

let root: string;
before(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'strata-signals-'));
});
after(() => rm(root, { recursive: true, force: true }));

/** Says on stderr which file is about to be read as a stream. */
const teller = `
  import fs from 'node:fs';
  import { syncBuiltinESMExports } from 'node:module';
  const { createReadStream, promises } = fs;
  const { open } = promises;
  promises.open = (file, ...rest) => {
    process.stderr.write('reading ' + file + '\\n');
    return open(file, ...rest);
  };
  fs.createReadStream = (file, ...rest) => {
    process.stderr.write('reading ' + file + '\\n');
    return createReadStream(file, ...rest);
  };
  syncBuiltinESMExports();`;

const import_ = ['--import', `data:text/javascript,${encodeURIComponent(teller)}`];
const signals = ['SIGTERM', 'SIGINT'] as const;

/** Only so that a test that fails ends; what is measured is said. */
const hangMs = 600_000;

interface Ended {
  code: number | null;
  signal: string | null;
  stderr: string;
  /** From the signal to the end. */
  ms: number;
}

/** Sends the signal some time after a text has come on stderr. */
async function signalled(child: ChildProcess, at: RegExp, signal: NodeJS.Signals): Promise<Ended> {
  let stderr = '';
  let sentMs: number | undefined;
  const hanging = setTimeout(() => child.kill('SIGKILL'), hangMs);
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
    if (sentMs !== undefined || !at.test(stderr)) return;
    sentMs = Number.POSITIVE_INFINITY;
    setTimeout(() => {
      sentMs = performance.now();
      child.kill(signal);
    }, 200);
  });
  const [code, ended] = await new Promise<[number | null, string | null]>((resolve) =>
    child.on('close', (...how) => resolve(how)),
  );
  clearTimeout(hanging);
  assert.ok(sentMs !== undefined && Number.isFinite(sentMs), `ended by itself before ${at}: ${stderr}`);
  return { code, signal: ended, stderr, ms: performance.now() - sentMs };
}

const halves = (folder: string) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
    /\.(partial-|removed-|lock|takeover)/.test(name),
  );

function assertStopped(t: TestContext, { code, signal, stderr, ms }: Ended, folder: string): void {
  t.diagnostic(`ended after ${ms.toFixed(0)} ms`);
  // A command that writes nothing has no handler: the signal itself ends it, which a shell tells as 130 or 143.
  if (signal === null) assert.deepEqual([code, /Stopping after this step/.test(stderr)], [130, true], stderr);
  else assert.ok((signals as readonly string[]).includes(signal), signal);
  assert.deepEqual(halves(folder), []);
}

const bench = (...argv: string[]) =>
  spawn(process.execPath, [...import_, cli, ...argv], { stdio: ['ignore', 'ignore', 'pipe'], cwd: root });

/** A gzip file of so many like pieces, each a member of its own. */
async function repeated(file: string, start: string, piece: string, megabytes: number): Promise<void> {
  const member = gzipSync(piece.repeat(Math.ceil(4e6 / piece.length)), { level: 1 });
  writeFileSync(file, gzipSync(start));
  const members = Buffer.concat(Array.from({ length: 32 }, () => member));
  for (let size = 0; size < megabytes; size += 128) await appendFile(file, members);
}

describe('in the middle of a file', () => {
  // 5 GB, of which a part is read before the signal comes.
  const size = 5_000;
  const cases: readonly [
    what: string,
    file: string,
    content: readonly [string, string],
    argv: readonly string[],
  ][] = [
    [
      'a run of lines',
      'run.gz',
      ['q Q0 p 1 1 t\n', '\n'],
      ['evaluate', '--run', 'run.gz', '--qrels', 'small.qrels'],
    ],
    ['qrels', 'qrels.gz', ['q 0 p 1\n', '\n'], ['evaluate', '--run', 'small.run', '--qrels', 'qrels.gz']],
    [
      'a run of JSON',
      'dpr.gz',
      ['[', '{"question": "q", "answers": [], "ctxs": []},\n'],
      ['convert', '--run', 'dpr.gz', '--to', 'trec', '--out', 'out/converted.run'],
    ],
    [
      'JSON lines',
      'beir/corpus.jsonl.gz',
      ['{"_id": "1", "text": "a"}\n', '\n'],
      ['dataset', 'info', 'beir', '--data', 'beir'],
    ],
    [
      'quoted columns',
      'dpr/psgs_w100.tsv.gz',
      ['id\ttext\ttitle\n', '\n'],
      ['dataset', 'info', 'dpr/nq', '--data', 'dpr', '--count'],
    ],
    [
      'documents',
      'trec/collection.gz',
      ['', '<DOC><DOCNO>1</DOCNO><TEXT>a</TEXT></DOC>\n'],
      ['dataset', 'info', 'trec', '--data', 'trec'],
    ],
    [
      'columns of a collection',
      'ms-marco/collection.tsv.gz',
      ['1\ta\n', '\n'],
      ['dataset', 'info', 'ms-marco', '--data', 'ms-marco'],
    ],
  ];
  before(async () => {
    for (const folder of ['beir', 'beir/qrels', 'dpr', 'trec', 'ms-marco', 'out'])
      await mkdir(path.join(root, folder));
    const write = (name: string, text: string) => writeFileSync(path.join(root, name), text);
    write('small.run', 'q Q0 p 1 1 t\n');
    write('small.qrels', 'q 0 p 1\n');
    write('beir/queries.jsonl', '{"_id": "1", "text": "a"}\n');
    write('dpr/nq-test.qa.csv', "q\t['a']\n");
    write('trec/topics', '1\tq\n');
    write('ms-marco/queries.dev.small.tsv', '1\tq\n');
  });

  for (const [i, [what, name, [start, piece], argv]] of cases.entries()) {
    test(what, async (t) => {
      const file = path.join(root, name);
      await repeated(file, start, piece, size);
      const cache = what.includes('run') || what === 'qrels' ? [] : ['--cache', 'cache'];
      const child = bench(...argv, ...cache);
      const ended = await signalled(child, new RegExp(`reading \\S*${path.basename(name)}`), signals[i % 2]!);
      await rm(file);
      assertStopped(t, ended, root);
    });
  }
});

/** A process that does one thing with the parts of the program, under the handlers of the command. */
function part(imports: string, work: string): ChildProcess {
  const of = (name: string) => JSON.stringify(new URL(`../harness/${name}.js`, import.meta.url).href);
  const script = `
    import { watchInterrupts } from ${of('cli/job')};
    import { reportFailure } from ${of('cli/failure')};
    ${imports.replace(/'@(.*?)'/g, (_, name: string) => of(name))}
    watchInterrupts();
    process.exit(await (async () => { ${work} })().then(() => 0, reportFailure));`;
  const stdio = ['ignore', 'ignore', 'pipe'] as const;
  return spawn(process.execPath, [...import_, '--input-type=module', '-e', script], {
    stdio: [...stdio],
    cwd: root,
  });
}

describe('in the middle of what stands before a dataset', () => {
  test('unpacking', async (t) => {
    await mkdir(path.join(root, 'archives'));
    const header = tarOf([{ name: 'zeros', content: '', sizeBytes: 8e9 }]).subarray(0, 512);
    const archive = path.join(root, 'archives', 'zeros.tar.gz');
    await repeated(archive, header.toString('latin1'), '\0', 5000);
    const work = `await unpack(${JSON.stringify(archive)}, null)`;
    const child = part("import { unpack } from '@store/archive';", work);
    assertStopped(t, await signalled(child, /reading/, 'SIGTERM'), root);
    assert.deepEqual(readdirSync(path.dirname(archive)), ['zeros.tar.gz']);
  });

  test('hashing', async (t) => {
    const file = path.join(root, 'sparse');
    writeFileSync(file, '');
    await truncate(file, 50e9);
    const child = part("import { hashFile } from '@store/hash';", `await hashFile(${JSON.stringify(file)})`);
    assertStopped(t, await signalled(child, /reading/, 'SIGINT'), root);
  });

  test('a download, while nothing comes and while it waits to try again', async (t) => {
    const server = createServer((request, response) => {
      if (request.url === '/broken') return response.writeHead(503).end();
      return response.writeHead(200, { 'content-length': 1000 }).write('a');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    for (const name of ['silent', 'broken']) {
      const download = { name, url: `http://127.0.0.1:${port}/${name}`, sizeBytes: 1000, licence: 'none' };
      const work = `process.stderr.write('asking'); await fetchFile(${JSON.stringify(download)}, 'downloads', { offline: false })`;
      const child = part("import { fetchFile } from '@store/download';", work);
      // What came is kept, to be gone on with.
      assertStopped(t, await signalled(child, /asking/, 'SIGINT'), root);
    }
    server.closeAllConnections();
    server.close();
  });
});

describe('in the middle of a stage', () => {
  const common = () => [
    ...['--arch', 'mlr-sc', '--dataset', 'sample', '--cache', 'stages/cache', '--out', 'stages/out'],
    ...[
      ...[...tinySettings, 'train.epochs=1', 'train.saveEverySteps=100000'],
      ...['latency.queries=1000', 'latency.batchSizes=1,16,128'],
    ].flatMap((set) => ['--set', set]),
  ];
  // One command, which goes on from where it was stopped each time.
  const stages = [
    'train',
    'encode',
    'search',
    ...(process.env.STRATA_TEST_THOROUGH === '1' ? ['latency'] : []),
  ];
  for (const [i, stage] of stages.entries()) {
    test(stage, async (t) => {
      const ended = await signalled(
        bench('run', ...common()),
        new RegExp(`^${stage}: `, 'm'),
        signals[i % 2]!,
      );
      assertStopped(t, ended, root);
      // Steps of a training that nobody would have saved for long.
      if (stage === 'encode') assert.match(ended.stderr, /^training goes on from step \d+ of \d+$/m);
    });
  }

  test('of BM25', async (t) => {
    const argv = ['--arch', 'bm25', '--dataset', 'sample', '--cache', 'bm25/cache', '--out', 'bm25/out'];
    const child = bench('run', ...argv, '--set', 'latency.queries=1000');
    assertStopped(t, await signalled(child, /^index: /m, 'SIGTERM'), root);
  });
});
