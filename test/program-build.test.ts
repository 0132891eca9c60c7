/** Building beside programs that run, with errors and without, and programs that are older than their sources. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, lstatSync, readdirSync, realpathSync } from 'node:fs';
import { mkdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { tinySettings } from './made-squad.js';
import { SmallCheckout } from './small-checkout.js';
import { briefOver, patient, sleep } from './strangers.js';

let checkout: SmallCheckout;
before(async () => {
  checkout = await SmallCheckout.make();
});
after(() => checkout.remove());

const current = () => realpathSync(checkout.at('dist'));
const builds = () => readdirSync(checkout.folder).filter((name) => /^dist-/.test(name));
const oneLine = 'architectures/dual-encoder.ts';
const broken = 'export const broken: number = "text";\n';

/** Says that a build was replaced two hours ago. */
async function agedBuild(folder: string): Promise<void> {
  const then = new Date(Date.now() - 2 * 60 * 60 * 1000);
  await utimes(path.join(folder, 'replaced'), then, then);
}

test('builds beside a sweep, one of them with an error, leave the sweep and the old program whole', async () => {
  const old = current();
  // The page is drawn at the end, by modules that nothing has imported before.
  const argv = ['run', '--arch', 'bm25,mlr-sc,dual-encoder', '--dataset', 'squad', '--data', 'data'];
  argv.push('--seeds', '1,2', '--report', 'html', '--searcher', 'exact');
  const sweep = spawn(
    process.execPath,
    [checkout.cli, ...argv, ...tinySettings.flatMap((setting) => ['--set', setting])],
    { cwd: checkout.folder, stdio: ['ignore', 'ignore', 'pipe'] },
  );
  let heard = '';
  const ended = new Promise<number | null>((resolve) => sweep.once('close', resolve));
  const underWay = new Promise<void>((resolve, reject) => {
    sweep.stderr.on('data', (data: Buffer) => {
      heard += data.toString();
      if (heard.includes('cell 1 of 6')) resolve();
    });
    sweep.once('close', () => reject(new Error(`ended before its first cell: ${heard}`)));
  });
  await underWay;
  // It waits, so that a fast machine does not end it before the builds are made.
  sweep.kill('SIGSTOP');

  const source = await readFile(checkout.at(oneLine), 'utf8');
  await writeFile(checkout.at(oneLine), source + broken);
  assert.match(checkout.build(2), /dual-encoder\.ts\(\d+,\d+\): error TS2322/);
  assert.equal(current(), old);
  assert.deepEqual(builds(), [path.basename(old)]);

  await writeFile(checkout.at(oneLine), `${source}\nexport const one = 1;\n`);
  checkout.build();
  assert.notEqual(current(), old);
  await agedBuild(old);
  await writeFile(checkout.at(oneLine), `${source}\nexport const one = 2;\n`);
  checkout.build();
  assert.ok(existsSync(old), 'a build that a program uses stays, however long ago it was replaced');
  sweep.kill('SIGCONT');

  assert.equal(await ended, 0, heard);
  const records = readdirSync(checkout.at('results')).filter((name) => name.endsWith('.record.json'));
  assert.equal(records.length, 6, heard);
  assert.ok(existsSync(checkout.at('results', 'report.html')));

  await checkout.restore(oneLine);
  await writeFile(checkout.at(oneLine), `${source}\nexport const one = 3;\n`);
  checkout.build();
  assert.ok(!existsSync(old), 'a build that no program uses goes, once it was replaced an hour ago');
  await checkout.restore(oneLine);
  checkout.build();
});

test('a build that a program of another host uses stays for as long as that gives signs of life', async () => {
  const old = current();
  await mkdir(path.join(old, 'in-use'), { recursive: true });
  // Of a process number that runs here, too: it says nothing of processes elsewhere.
  const isOurs = `${process.pid}-aaaaaaaaaaaa-77-200 elsewhere`;
  for (const name of [`${patient} elsewhere`, isOurs]) await writeFile(path.join(old, 'in-use', name), '');
  const source = await readFile(checkout.at(oneLine), 'utf8');
  const rebuild = async (text: string) => {
    await writeFile(checkout.at(oneLine), `${source}\nexport const other = ${text};\n`);
    checkout.build();
  };
  await rebuild('1');
  await agedBuild(old);
  await sleep(briefOver);
  await rebuild('2');
  assert.ok(existsSync(old), 'its program may still run');
  await rm(path.join(old, 'in-use', `${patient} elsewhere`));
  await rebuild('3');
  assert.ok(!existsSync(old), 'its program gave no sign of life for a lease');
  await checkout.restore(oneLine);
  checkout.build();
});

test('a program that is older than its sources builds first, and says why', async () => {
  await writeFile(checkout.at('architectures/newest.ts'), await readFile(checkout.at(oneLine)));
  const found = checkout.bench(['list', 'architectures']);
  assert.match(found.stderr, /^building first: architectures\/newest\.ts is new since the last build\n/);
  assert.match(found.stdout, /^newest /m);
  await rm(checkout.at('architectures/newest.ts'));
  const gone = checkout.bench(['list', 'architectures']);
  assert.match(gone.stderr, /^building first: architectures\/newest\.ts is gone since the last build\n/);
  assert.doesNotMatch(gone.stdout, /^newest /m);
  // The time alone says nothing.
  await utimes(checkout.at(oneLine), new Date(), new Date());
  assert.equal(checkout.bench(['list', 'presets']).stderr, '');
});

test('sources that do not build end with 2, the error and the way to the old program', async () => {
  const source = await readFile(checkout.at(oneLine), 'utf8');
  await writeFile(checkout.at(oneLine), source + broken);
  const { stdout, stderr } = checkout.bench(['list', 'presets'], 2);
  assert.equal(stdout, '');
  assert.match(stderr, /error TS2322[\s\S]*\nerror BUILD_FAILED: .*dual-encoder\.ts has changed\./);
  const [, program] = /run the program as it was: node (\S+) \.\.\./.exec(stderr)!;
  assert.match(checkout.run([program!, 'list', 'presets']).stdout, /^small /m);
  // Help is given without looking.
  assert.match(checkout.bench(['list', '--help']).stdout, /^bench list/);
  await checkout.restore(oneLine);
});

test('a package without sources runs as it is', async () => {
  const source = await readFile(checkout.at('tsconfig.json'));
  await rm(checkout.at('tsconfig.json'));
  assert.equal(checkout.bench(['list', 'presets']).stderr, '');
  await writeFile(checkout.at('tsconfig.json'), source);
});

test('for packing dist is a folder; the next build makes it a link again', () => {
  checkout.build();
  checkout.run([checkout.at('scripts', 'build.mjs'), '--whole']);
  assert.ok(lstatSync(checkout.at('dist')).isDirectory());
  assert.ok(!existsSync(checkout.at('dist', 'in-use')));
  // npm runs this in between.
  checkout.run([checkout.at('scripts', 'build.mjs'), '--if-changed']);
  assert.ok(lstatSync(checkout.at('dist')).isDirectory());
  assert.match(checkout.bench(['list', 'presets']).stdout, /^small /m);
  checkout.build();
  assert.ok(lstatSync(checkout.at('dist')).isSymbolicLink());
});

test('a crash ends with 70, whatever of the program is missing, and never with 1', async () => {
  checkout.build();
  const list = checkout.at('dist', 'harness', 'cli', 'list.js');
  const failure = checkout.at('dist', 'harness', 'cli', 'failure.js');
  const bug = /^This is a bug in bench; please report it with these lines\.\n/;
  const throwsLater = `const timer = setInterval(() => {
    if (process.listenerCount('uncaughtException') === 0) return;
    clearInterval(timer);
    throw new Error('thrown where nobody waits for it');
  }, 1);`;
  const thrown = checkout.run(
    ['--import', `data:text/javascript,${encodeURIComponent(throwsLater)}`, checkout.cli, 'list', 'presets'],
    70,
  );
  assert.match(thrown.stderr, bug);
  assert.match(thrown.stderr, /thrown where nobody waits for it\n/);
  for (const missing of [list, failure]) {
    await rm(missing);
    const { stderr } = checkout.bench(['list', 'presets'], 70);
    assert.match(stderr, bug);
    assert.match(stderr, /ERR_MODULE_NOT_FOUND/);
  }
});
