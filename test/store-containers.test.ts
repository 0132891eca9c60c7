/** Processes that cannot see each other, as containers and hosts cannot, at work on one store. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { assertSameFiles } from './killed-runs.js';
import { tinySettings, writeMadeSquad } from './made-squad.js';
import { contained, killAll, withoutNamespaces } from './pid-namespaces.js';
import { cli } from './places.js';

const leaseSeconds = 2;
const env = { BENCH_LEASE_SECONDS: String(leaseSeconds) };
const leases = (count: number) => new Promise((resolve) => setTimeout(resolve, 1000 * leaseSeconds * count));

let root: string;
beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'strata-containers-'));
});
afterEach(async () => {
  await killAll();
  await rm(root, { recursive: true, force: true });
});

const built = (name: string) =>
  JSON.stringify(pathToFileURL(path.join(import.meta.dirname, '../harness/store', name)).href);

/** A module's text, for Node's `-e`. */
const script = (text: string): string[] => ['--input-type=module', '-e', text];

/**
 * Makes an artifact of four parts of its own name, one after another; says `part N` before each, and `done` with the facts.
 * @param before code that runs before part `i`
 */
const maker = (before: string) =>
  script(`
    import { existsSync } from 'node:fs';
    import { setTimeout as sleep } from 'node:timers/promises';
    import { AtomicFile, writeAtomic } from ${built('atomic.js')};
    import { Store } from ${built('store.js')};
    const store = new Store(${JSON.stringify(root)});
    const made = await store.artifact('shards', { of: 'four parts' }, async (folder) => {
      let mine = 0;
      for (let i = 0; i < 4; i++) {
        const file = folder + '/part-' + i;
        if (existsSync(file)) continue;
        console.log('part ' + i);
        ${before}
        await writeAtomic(file, 'part ' + i + ' '.repeat(1000));
        mine++;
      }
      return { mine };
    });
    console.log('done ' + JSON.stringify([made.cached, made.facts]));
  `);

async function assertFourParts(): Promise<void> {
  const [key] = await readdir(path.join(root, 'shards'));
  const folder = path.join(root, 'shards', key!);
  assert.deepEqual(
    (await readdir(folder)).sort(),
    ['manifest.json', 'part-0', 'part-1', 'part-2', 'part-3'],
    'nothing is left over',
  );
  for (let i = 0; i < 4; i++)
    assert.equal(await readFile(path.join(folder, `part-${i}`), 'utf8'), `part ${i}${' '.repeat(1000)}`);
}

describe('two processes in two pid namespaces', { skip: withoutNamespaces }, () => {
  test('one works and the other waits; after kill -9 of the first the second goes on with what it left', async () => {
    // Half a file is there, and its process lives for as long as it is let.
    const first = contained(
      maker(`if (i === 2) {
        await (await AtomicFile.create(file)).write('half');
        console.log('half a file');
        await sleep(3_600_000);
      }`),
      env,
    );
    await first.says('half a file');
    const second = contained(maker(''), env);
    await leases(2.5);
    assert.equal(second.stdout(), '', 'it waits for as long as the first lives');
    const [key] = await readdir(path.join(root, 'shards'));
    const partials = (await readdir(path.join(root, 'shards', key!))).filter((name) =>
      name.includes('.partial-'),
    );
    assert.equal(partials.length, 1, 'and leaves its files alone');
    await first.kill();
    assert.equal(await second.exit, 0, second.stderr());
    // Parts 0 and 1 are those of the first.
    assert.equal(second.stdout(), 'part 2\npart 3\ndone [false,{"mine":2}]\n');
    await assertFourParts();
  });

  test('one that stood still for longer than a lease and then goes on is refused without harm', async () => {
    // Nothing of it runs meanwhile, its signs of life neither.
    const still = `if (i === 2) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ${4000 * leaseSeconds});`;
    const first = contained(maker(still), env);
    await first.says('part 2');
    const second = contained(maker(`if (i === 3) await sleep(${4000 * leaseSeconds});`), env);
    // It has taken over, and is not done when the first wakes.
    await second.says('part 3');
    assert.ok(!first.stdout().includes('done'));
    assert.deepEqual([await first.exit, await second.exit], [0, 0], first.stderr() + second.stderr());
    assert.equal(second.stdout(), 'part 2\npart 3\ndone [false,{"mine":2}]\n');
    // What the second finished is what the first has.
    assert.equal(first.stdout(), 'part 0\npart 1\npart 2\ndone [true,{"mine":2}]\n');
    assert.match(first.stderr(), /Another process took over .*this one had stood still for longer than 2 s/);
    await assertFourParts();
  });

  test('half a file of a process that lives is removed by no other', async () => {
    const target = path.join(root, 'deep', 'file');
    const go = path.join(root, 'go');
    const writer = contained(
      script(`
        import { existsSync } from 'node:fs';
        import { AtomicFile } from ${built('atomic.js')};
        const file = await AtomicFile.create(${JSON.stringify(target)});
        await file.write('half, ');
        console.log('half');
        while (!existsSync(${JSON.stringify(go)})) await new Promise((resolve) => setTimeout(resolve, 20));
        await file.write('and whole');
        await file.commit();
      `),
      env,
    );
    await writer.says('half');
    await leases(2);
    const remover = contained(
      script(`
        import { removePartials, removePartialsOf } from ${built('partials.js')};
        await removePartials(${JSON.stringify(root)}, true);
        await removePartialsOf(${JSON.stringify(target)});
      `),
      env,
    );
    assert.equal(await remover.exit, 0, remover.stderr());
    await writeFile(go, '');
    assert.equal(await writer.exit, 0, writer.stderr());
    assert.equal(await readFile(target, 'utf8'), 'half, and whole');
  });

  test('of three that want the same forty artifacts each is made once', async () => {
    const racer = script(`
      import { writeAtomic } from ${built('atomic.js')};
      import { Store } from ${built('store.js')};
      const store = new Store(${JSON.stringify(root)});
      const made = [];
      for (let a = 0; a < 40; a++) {
        const { cached, facts } = await store.artifact('runs', { a }, async (folder) => {
          await writeAtomic(folder + '/data', 'artifact ' + a);
          return { a };
        });
        if (facts.a !== a) throw new Error('it has the facts of another');
        if (!cached) made.push(a);
      }
      console.log(JSON.stringify(made));
    `);
    // A minute's leases: nobody is to be taken for dead because the machine is busy.
    const racers = [1, 2, 3].map(() => contained(racer));
    for (const { exit, stderr } of racers) assert.equal(await exit, 0, stderr());
    const made = racers.flatMap(({ stdout }) => JSON.parse(stdout()) as number[]);
    assert.deepEqual(
      made.sort((a, b) => a - b),
      Array.from({ length: 40 }, (_, a) => a),
    );
    for (const key of await readdir(path.join(root, 'runs')))
      assert.deepEqual((await readdir(path.join(root, 'runs', key))).sort(), ['data', 'manifest.json']);
  });
});

describe('two commands in two pid namespaces', { skip: withoutNamespaces }, () => {
  let data: string;
  before(async () => {
    data = await mkdtemp(path.join(tmpdir(), 'strata-containers-data-'));
    await writeMadeSquad(data);
  });
  after(() => rm(data, { recursive: true, force: true }));

  const train = (cache: string) => [
    cli,
    ...['train', '--arch', 'mlr-sc', '--dataset', 'squad', '--data', data, '--cache', path.join(root, cache)],
    ...tinySettings.flatMap((setting) => ['--set', setting]),
  ];

  test('train the same: after kill -9 of the first the second leaves the bytes of one that worked alone', async () => {
    const alone = contained(train('alone'), env);
    assert.equal(await alone.exit, 0, alone.stderr());
    // Stops where the state of the second step is about to be put in place, and lives on.
    const stopper = path.join(root, 'stopper.mjs');
    await writeFile(
      stopper,
      `import fs from 'node:fs/promises';
       import { syncBuiltinESMExports } from 'node:module';
       const { rename } = fs;
       fs.rename = async (from, to) => {
         if (!/state-2\\.safetensors$/.test(to)) return rename(from, to);
         console.error('it stops here');
         setInterval(() => undefined, 1000);
         return new Promise(() => undefined);
       };
       syncBuiltinESMExports();`,
    );
    const first = contained(['--import', stopper, ...train('shared')], env);
    await first.says('it stops here');
    const second = contained(train('shared'), env);
    await second.says('waiting for it to end');
    await leases(2.5);
    assert.equal(second.child.exitCode, null, second.stderr());
    await first.kill();
    assert.equal(await second.exit, 0, second.stderr());
    const left = await readdir(path.join(root, 'shared', 'running'));
    assert.equal(left.length, 1, 'of the killed one, until another begins');
    await rm(path.join(root, 'shared', 'running', left[0]!));
    const files = await assertSameFiles(path.join(root, 'shared'), path.join(root, 'alone'));
    assert.ok(
      files.some((file) => file.endsWith('model.safetensors')),
      files.join('\n'),
    );
    assert.ok(!existsSync(path.join(root, 'shared', 'checkpoints', 'lock')));
  });
});
