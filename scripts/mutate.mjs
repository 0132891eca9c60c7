// `npm run mutate -- ROOM...` makes one small mistake after another in the built modules of a room, asks the compiler whether it
// would let it pass in the source, runs the tests that use the module, and says which mistakes nothing notices. All of it happens in
// copies of the checkout in the temporary folder.
//
//   --count N --seed S    a sample of N places of each room, one mistake at each, drawn by the seed; without them every place
//   --file FILE[:LINE]    only this source, or this line of it
//   --jobs N              so many at a time (1)
//   --tests N             so many test files of its room for each mutant, of those that run its place, besides those that take
//                         less than two seconds, and so many of other rooms where these notice nothing (5); as many again of
//                         both where nothing has yet
//   --list                says what would be made, and runs nothing
import { realpathSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Compiler } from './mutate/compiler.mjs';
import { Copy, removeCopies } from './mutate/copy.mjs';
import { Coverage, hasRun } from './mutate/coverage.mjs';
import { sitesOf } from './mutate/sites.mjs';
import { describeBuild, roomOf } from './mutate/tests.mjs';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const dist = realpathSync(path.join(root, 'dist'));
const { stream } = await import('../dist/harness/random.js');

function fail(message) {
  process.stderr.write(`mutate: ${message}\n`);
  process.exit(2);
}

function readRequest() {
  const options = {
    count: { type: 'string' },
    seed: { type: 'string', default: '1' },
    file: { type: 'string' },
    jobs: { type: 'string', default: '1' },
    tests: { type: 'string', default: '5' },
    list: { type: 'boolean', default: false },
  };
  let parsed;
  try {
    parsed = parseArgs({ options, allowPositionals: true });
  } catch (error) {
    fail(error.message);
  }
  const { values, positionals } = parsed;
  if (positionals.length === 0)
    fail(`a room is to be named: npm run mutate -- ${[...new Set(build.modules.map(roomOf))].join('|')}`);
  const number = (name, least) => {
    const value = Number(values[name]);
    if (!Number.isInteger(value) || value < least)
      fail(`--${name} is ${values[name]}: a whole number from ${least} on is needed`);
    return value;
  };
  const [, file, line] = /^(.*?)(?::(\d+))?$/.exec(values.file ?? '');
  return {
    rooms: positionals,
    count: values.count === undefined ? Infinity : number('count', 1),
    seed: number('seed', 0),
    file,
    line: line && Number(line),
    jobs: number('jobs', 1),
    tests: number('tests', 1),
    list: values.list,
  };
}

const build = describeBuild(dist);
const asked = readRequest();

/** Every mutant that is asked for: { module, source, line, text, start, end, kind, ... }. */
function chooseMutants(room) {
  const { count, seed, file, line } = asked;
  const inRoom = build.modules.filter((module) => roomOf(module) === room);
  if (inRoom.length === 0)
    fail(`there is no room ${room}: ${[...new Set(build.modules.map(roomOf))].join(', ')}`);
  const modules = inRoom.filter((module) => module.endsWith(file.replace(/\.ts$/, '.js')));
  if (modules.length === 0) fail(`no file of ${room} is named ${file}: ${inRoom.join(', ')}`);
  const sites = modules
    .flatMap((module) => sitesOf(root, dist, module))
    .filter((site) => line === undefined || site[0].line === line);
  if (sites.length === 0) fail(`nothing can be mistaken in ${file}${line === undefined ? '' : `:${line}`}`);
  // A line that is looked at gets every mistake, a sample one of each place.
  if (line !== undefined)
    return { mutants: sites.flat().map((mutant) => ({ ...mutant, asleep: [] })), places: sites.length };
  const random = stream(seed, 'mutate', room);
  const drawn = random.shuffle([...sites.keys()]).slice(0, count);
  const mutants = drawn.map((site) => ({ site, ...random.choose(sites[site]), asleep: [] }));
  return { mutants: mutants.sort((a, b) => a.site - b.site), places: sites.length };
}

const textWith = ({ code, start, end, text }) => code.slice(0, start) + text + code.slice(end);

/** The lines of the built module that differ, as they were and as they are. */
function difference({ code, start, end, text }) {
  const from = code.lastIndexOf('\n', start - 1) + 1;
  const to = code.indexOf('\n', end);
  const [head, tail] = [code.slice(from, start), code.slice(end, to)];
  const lines = (sign, whole) => whole.split('\n').map((line) => `    ${sign} ${line.trim()}`);
  return [...lines('-', head + code.slice(start, end) + tail), ...lines('+', head + text + tail)].join('\n');
}

/** Processor time of a test that is tried beyond the number that is asked for: it costs little more than its start. */
const quickMs = 2_000;

const place = ({ source, line, kind }) => `${source}:${line} (${kind})`;
const coverage = new Coverage(root, dist);

/**
 * Those of some tests that run the place of a mutant, the quickest first: so many, and what is quick besides.
 * @param least tests that are looked at, however many are found among them
 */
async function runningTests(copy, { module, start }, tests, least) {
  const found = [];
  for (const [i, { test }] of tests.entries()) {
    if (found.length >= asked.tests && i >= least) break;
    const take = () => copy.coverage(test, { limitMs: 600_000, waitMs: 240_000 });
    const { outcome, ran, ...cost } = await coverage.of(test, take);
    if (outcome === 'passed' && hasRun(ran[module] ?? [], start)) found.push({ test, ...cost });
  }
  found.sort((a, b) => a.cpuMs - b.cpuMs);
  return found.filter(({ cpuMs }, i) => i < asked.tests || cpuMs < quickMs);
}

/** Runs tests of a mutant's room, or of others, until one notices it. Adds what they say to its `asleep` and `result`. */
async function judge(copy, mutant, own) {
  const isNew = ({ test, isOwn }) => isOwn === own && !mutant.asleep.includes(test);
  const tests = build.testsOf(mutant.module).filter(isNew);
  // What pins a module's facts may lie many imports from it, so of its room more are looked at than are needed.
  const looked = 3 * asked.tests;
  const candidates = own ? tests : tests.slice(0, looked);
  for (const { test, ms, cpuMs, ...whole } of await runningTests(
    copy,
    mutant,
    candidates,
    own ? looked : 0,
  )) {
    const run = () => copy.test(test, { limitMs: 4 * cpuMs + 5_000, waitMs: ms });
    const { outcome, skipped } = await copy.with(mutant.module, textWith(mutant), run);
    // A device that a mistake has broken is not there, and its tests are skipped: where they are known to run, as in CI, that fails.
    if (outcome !== 'passed' || skipped > whole.skipped) {
      mutant.result = { outcome: outcome === 'hung' ? 'hung' : 'noticed', test };
      return;
    }
    mutant.asleep.push(test);
  }
}

if (asked.list) list();
else await tryChosen();

function list() {
  for (const room of asked.rooms)
    for (const mutant of chooseMutants(room).mutants) console.log(`${place(mutant)}\n${difference(mutant)}`);
}

async function tryChosen() {
  process.on('exit', removeCopies);
  removeCopies();
  const copies = Array.from({ length: asked.jobs }, (_, number) => new Copy(root, number));
  const close = () => Promise.all(copies.map((copy) => copy.close()));
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
    process.on(signal, async () => {
      await close();
      process.exit(130);
    });
  const chosen = asked.rooms.map((room) => ({ room, ...chooseMutants(room) }));
  for (const { room, mutants, places } of chosen)
    console.log(`${room}: ${mutants.length} mutants, drawn from ${places} places with seed ${asked.seed}`);
  const everyMutant = chosen.flatMap(({ mutants }) => mutants);
  askCompiler(copies[0].root, everyMutant);
  // Tests of other rooms that reach the place through others are slower, and asked only where those of its room notice nothing.
  // What is left after that has others of either kind: the nearest by imports need not be those that look.
  for (const own of [true, false, true, false])
    await tryAll(
      copies,
      everyMutant.filter(({ result }) => result === undefined),
      own,
    );
  for (const { room, mutants } of chosen) report(room, mutants);
  await close();
  for (const [test, { outcome }] of await coverage.all()) {
    if (outcome !== 'passed') console.log(`left out, as it ${outcome} without any mistake: ${test}`);
  }
}

/** Gives a `result` to the mutants that would not become a build. */
function askCompiler(checkout, mutants) {
  const compiler = new Compiler(checkout);
  for (const mutant of mutants) {
    const refusal = compiler.refusal(mutant);
    if (refusal === undefined) continue;
    mutant.result = { outcome: 'refused' };
    console.log(`refused ${place(mutant)}, ${refusal}`);
  }
  compiler.close();
}

async function tryAll(copies, mutants, own) {
  console.log(`${mutants.length} mutants with the tests of ${own ? 'their rooms' : 'other rooms'}`);
  let next = 0;
  const work = async (copy) => {
    while (next < mutants.length) {
      const at = next++;
      const mutant = mutants[at];
      await judge(copy, mutant, own);
      const { outcome, test } = mutant.result ?? { outcome: 'not yet noticed' };
      const by = test === undefined ? `\n${difference(mutant)}` : `, by ${path.basename(test, '.test.js')}`;
      console.log(`${at + 1}/${mutants.length} ${outcome} ${place(mutant)}${by}`);
    }
  };
  await Promise.all(copies.map(work));
}

function report(room, mutants) {
  const outcomeOf = ({ result, asleep }) =>
    result?.outcome ?? (asleep.length === 0 ? 'never run' : 'survived');
  const of = (...outcomes) => mutants.filter((mutant) => outcomes.includes(outcomeOf(mutant)));
  const survivors = of('survived', 'never run');
  for (const mutant of survivors) {
    const names = mutant.asleep.map((test) => path.basename(test, '.test.js')).join(', ');
    console.log(`\n${outcomeOf(mutant)} ${place(mutant)}${names && `; ran ${names}`}\n${difference(mutant)}`);
  }
  const noticed = mutants.length - survivors.length;
  const count = (outcome) => of(outcome).length;
  console.log(
    `\n${room}: ${noticed} of ${mutants.length} noticed (${((100 * noticed) / mutants.length).toFixed(1)} %), ` +
      `${count('refused')} of them by the compiler or lint, ${count('hung')} because a test hung; ` +
      `${count('survived')} survived, ${count('never run')} never ran`,
  );
}
