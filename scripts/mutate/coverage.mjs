// What each test file runs of the build, and what it costs, kept in the checkout's cache: it is taken once, and anew only where
// something that the test loads is another.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/**
 * @typedef {object} Measured
 * @property {string} outcome of the test where nothing is wrong
 * @property {number} skipped tests of it
 * @property {number} cpuMs that it takes
 * @property {number} ms on the clock
 * @property {Record<string, [start: number, end: number][]>} ran what it ran of each module of the build
 */

export class Coverage {
  #digests;
  #known = new Map();

  /**
   * @param root of the checkout
   * @param dist its build, all of which is looked at now: another may replace it
   */
  constructor(root, dist) {
    this.folder = path.join(root, '.bench', 'coverage');
    const files = readdirSync(dist, { recursive: true }).filter((name) => name.endsWith('.js'));
    this.#digests = new Map(
      files.map((name) => [
        name.split(path.sep).join('/'),
        createHash('sha256')
          .update(readFileSync(path.join(dist, name)))
          .digest('hex'),
      ]),
    );
  }

  /**
   * @param test its path in the build
   * @param take runs it in a copy, asked only where what is kept does not hold
   * @returns {Promise<Measured>}
   */
  of(test, take) {
    if (!this.#known.has(test)) this.#known.set(test, this.#find(test, take));
    return this.#known.get(test);
  }

  /** Every test file that was asked for, with what is known of it. */
  async all() {
    return Promise.all([...this.#known].map(async ([test, found]) => [test, await found]));
  }

  async #find(test, take) {
    const file = path.join(this.folder, `${path.basename(test, '.js')}.json`);
    const kept = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined;
    if (kept !== undefined && this.#holds(kept)) return kept.measured;
    const { loaded, ...measured } = await take();
    if (measured.outcome === 'passed') {
      const sources = Object.fromEntries(loaded.map((module) => [module, this.#digests.get(module)]));
      mkdirSync(this.folder, { recursive: true });
      writeFileSync(file, JSON.stringify({ sources, data: givenData(), measured }));
    }
    return measured;
  }

  #holds({ sources, data, measured }) {
    return (
      measured.skipped !== undefined &&
      data === givenData() &&
      Object.entries(sources).every(([module, digest]) => this.#digests.get(module) === digest)
    );
  }
}

/** Tests that read real collections skip without them. */
const givenData = () => process.env.STRATA_TEST_DATA ?? '';

/**
 * Reads what V8 wrote of every process of a test.
 * @returns { loaded, ran }: the modules of a build that were loaded, and what ran of those that are no tests
 */
export function readCoverage(folder, dist) {
  const built = `file://${realpathSync(dist)}/`;
  const spans = {};
  // A test that is ended leaves nothing.
  for (const name of existsSync(folder) ? readdirSync(folder) : []) {
    const { result } = JSON.parse(readFileSync(path.join(folder, name), 'utf8'));
    for (const { url, functions } of result) {
      if (!url.startsWith(built)) continue;
      const module = url.slice(built.length).replace(/[?#].*$/, '');
      spans[module] ??= [];
      spans[module].push(...ranSpans(functions.flatMap((each) => each.ranges)));
    }
  }
  const loaded = Object.keys(spans).sort();
  const ran = loaded
    .filter((module) => !module.startsWith('test/'))
    .map((module) => [module, united(spans[module])]);
  return { loaded, ran: Object.fromEntries(ran) };
}

/** The spans that ran in one process: of ranges that hold each other the innermost says so. */
function ranSpans(ranges) {
  const spans = [];
  const open = [];
  let from = 0;
  const emit = (to) => {
    if (to > from && open.at(-1)?.count > 0) spans.push([from, to]);
    from = to;
  };
  const close = (until) => {
    while (open.length > 0 && open.at(-1).endOffset <= until) {
      emit(open.at(-1).endOffset);
      open.pop();
    }
  };
  for (const range of ranges.toSorted((a, b) => a.startOffset - b.startOffset || b.endOffset - a.endOffset)) {
    close(range.startOffset);
    emit(range.startOffset);
    open.push(range);
  }
  close(Number.POSITIVE_INFINITY);
  return spans;
}

function united(spans) {
  const merged = [];
  for (const [start, end] of spans.toSorted((a, b) => a[0] - b[0])) {
    const last = merged.at(-1);
    if (last !== undefined && start <= last[1]) last[1] = Math.max(last[1], end);
    else merged.push([start, end]);
  }
  return merged;
}

export const hasRun = (spans, start) => spans.some(([from, to]) => from <= start && start < to);
