import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { prepareReport, type TextSource } from '../harness/comparison.js';
import { loadReport } from '../harness/plugins.js';
import { pageScript } from '../reports/html/explore.js';
import { labelCorners, spansDecades } from '../reports/html/labels.js';
import { stored } from './made-records.js';

const attack = '</title><script>alert(1)</script><img src=x onerror="alert(2)">';

/** Texts and hits that try to act as markup. */
const hostile: TextSource = {
  run: ({ record }) =>
    Promise.resolve({
      run: new Map(
        record.queryIds.map((queryId) => [queryId, { passageIds: ['p1', attack], scores: [2, 1] }]),
      ),
    }),
  texts: (_, queryIds, passageIds) =>
    Promise.resolve({
      queries: new Map(
        [...queryIds].map((queryId) => [queryId, { queryId, text: `why ${attack}`, answers: [attack] }]),
      ),
      passages: new Map([...passageIds].map((passageId) => [passageId, { title: attack, text: attack }])),
      qrels: new Map([...queryIds].map((queryId) => [queryId, new Map([['p1', 1]])])),
      note: attack,
    }),
};

const records = [1, 2].flatMap((seed) => [
  stored({ seed }),
  stored({ arch: 'mlr-sc', seed, lift: 0.1 }),
  stored({ arch: 'me-bert', seed, vectors: 2, lift: 0.02 }),
  stored({ arch: 'me-bert', seed, vectors: 4, lift: 0.04 }),
  stored({ arch: `mlr ${attack}`, seed, layers: [1, 2] }),
]);

async function whole(texts?: TextSource): Promise<string> {
  const report = await prepareReport(records, { values: true, ...(texts && { texts }) }, '0.1.0');
  return (await loadReport('html')).render(report);
}

/** The page without its own script and what that works on, which hold nothing that could end them. */
function withoutScript(html: string): string {
  const parts = html.split(`<script>${pageScript}</script>`);
  assert.equal(parts.length, 2, 'one script, as it stands in the sources');
  return parts.join('').replace(/<script type="application\/json">[^<]*<\/script>/g, '');
}

const page = async (texts?: TextSource) => withoutScript(await whole(texts));

/** What an HTML parser would take for tags: names in lower case, attributes as written. */
function tags(html: string): { name: string; attributes: string }[] {
  return [...html.matchAll(/<([a-zA-Z][\w-]*)((?:\s+[^<>"']*(?:"[^"]*"|'[^']*')?)*)\s*\/?>/g)].map(
    ([, name, attributes]) => ({ name: name!.toLowerCase(), attributes: attributes! }),
  );
}

test('a script in a passage, a query, an answer, an id or a name stays text', async () => {
  const html = await page(hostile);
  assert.ok(html.includes('&lt;script&gt;alert(1)&lt;/script&gt;'));
  assert.doesNotMatch(html, /<script/i);
  assert.doesNotMatch(html, /<img/i);
  const bare = tags(html).map(({ attributes }) => attributes.replace(/"[^"]*"/g, '""'));
  assert.ok(!bare.some((attributes) => /\son\w+\s*=/i.test(attributes)));
  assert.equal([...html.matchAll(/<title>/g)].length, 1);
});

test('no request leaves the page', async () => {
  const html = await page(hostile);
  assert.match(
    html,
    /http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-[\w+/]+='"/,
  );
  const script = /<script>([\s\S]*)<\/script>/.exec(await whole(hostile))![1]!;
  assert.ok(
    html.includes(createHash('sha256').update(script).digest('base64')),
    'no script but this one may run',
  );
  assert.doesNotMatch(
    script,
    /\b(?:fetch|XMLHttpRequest|WebSocket|import|innerHTML|eval)\b|https?:\/\/(?!www\.w3\.org)/,
  );
  const fetching = new Set([
    'link',
    'img',
    'iframe',
    'object',
    'embed',
    'script',
    'image',
    'use',
    'base',
    'form',
  ]);
  assert.deepEqual(
    tags(html).filter(({ name }) => fetching.has(name)),
    [],
  );
  const addresses = tags(html).flatMap(({ attributes }) =>
    [...attributes.matchAll(/\s(?:src|href|xlink:href|action)\s*=\s*"([^"]*)"/g)].map(
      ([, address]) => address,
    ),
  );
  assert.deepEqual(addresses, []);
  assert.doesNotMatch(html.match(/<style>[\s\S]*?<\/style>/)![0], /url\(|@import/);
});

test('charts are drawn: accuracy against cost, by layers and vectors, training, differences', async () => {
  const html = await page(hostile);
  const captions = [...html.matchAll(/<figcaption>(.*?)<\/figcaption>/gs)].map(([, caption]) => caption!);
  assert.equal([...html.matchAll(/<svg /g)].length, captions.length);
  for (const expected of [
    /^answer@20 % against search ms/,
    /^answer@20 % against total ms/,
    /^answer@20 % against index, MiB/,
    /by number of vectors: one line for each architecture \(me-bert\)/,
    /^Training loss by epoch/,
    /^Dev crossEntropy by epoch/,
    /^answer@20 % of every query/,
  ]) {
    assert.ok(
      captions.some((caption) => expected.test(caption)),
      `${expected} in ${captions.join('\n')}`,
    );
  }
  // Every system has its point, and only those on the front are filled with their own colour.
  const [front] = html.match(/<figure>(?:(?!<\/figure>)[\s\S])*against index, MiB/)!;
  assert.match(front, /fill="var\(--s\d\)"/);
  assert.match(front, /fill="var\(--ground\)"/);
});

test('the two best are shown query by query, with texts, answers and hits', async () => {
  const html = await page(hostile);
  assert.match(html, /Queries on which the two best differ most/);
  assert.match(html, /<h4>why &lt;\/title&gt;/);
  assert.match(html, /<li class="relevant"><b>/);
  assert.match(html, /p1, score 2\.0000, relevance 1/);
  const without = await page();
  assert.doesNotMatch(without, /Queries on which/);
});

test('it reads in light, dark, on a phone and printed, and says how each number was made', async () => {
  const html = await page();
  for (const expected of [
    /prefers-color-scheme: dark/,
    /@media print/,
    /name="viewport"/,
    /How the numbers were made/,
    /sha256 <code>a{64}<\/code>/,
    /McNemar&#39;s exact test/,
    /bench run --arch dual-encoder/,
    /onnx on cpu, exact, 2 threads; Made CPU/,
  ]) {
    assert.match(html, expected);
  }
});

test('a sentence says what came out, with the day; no curve has one point', async () => {
  const html = await page();
  assert.match(
    html,
    /<p class="finding">\S+ has the best answer@20, \d+\.\d %: \+\d+\.\d points against dual-encoder/,
  );
  assert.match(
    html,
    /with an index of ×\d+\.\d\d and a search of ×\d+\.\d\d\. <span class="faint">Runs of 2 January 2026\./,
  );
  assert.match(html, /by epoch, one line for each run/);
  const one = await prepareReport([stored({ epochs: 1 }), stored({ epochs: 1, seed: 2 })], {}, '0.1.0');
  const alone = await (await loadReport('html')).render(one);
  assert.match(alone, /<p class="finding">dual-encoder has answer@20 \d+\.\d %\./);
  assert.doesNotMatch(alone, /by epoch|Pareto front/);
  assert.doesNotMatch(alone, /<svg/);
});

test('a check: what got worse comes first, with its heading, and no text acts as markup', async () => {
  const check = { dataset: 'made, test', name: 'latency search' } as const;
  const checks = [
    { ...check, system: 'calm', verdict: 'same', detail: '×1.00' },
    { ...check, system: attack, verdict: 'worse', detail: '×2.00' },
  ] as const;
  const report = { createdAt: '2026-01-02T03:04:05.000Z', benchVersion: '0.1.0', sections: [], checks };
  const html = withoutScript(await (await loadReport('html')).render(report));
  assert.match(html, /<title>Regression check<\/title>/);
  assert.match(html, /Against the baseline: 1 of 2 comparisons got worse/);
  assert.ok(html.indexOf('×2.00') < html.indexOf('×1.00') && html.includes('&lt;script&gt;'));
  assert.doesNotMatch(html, /<script|<img/);
});

test('numbers of points that lie close together stand at different corners', () => {
  const at = (x: number, y: number, wide = 0) => ({
    ...{ x, y, xLow: x - wide, xHigh: x + wide, yLow: y - wide, yHigh: y + wide },
  });
  assert.deepEqual(labelCorners([at(0, 0), at(1, 1)]), [0, 0]);
  const together = labelCorners([at(0, 0), at(0, 0.001), at(0.001, 0), at(1, 1)]);
  assert.equal(new Set(together.slice(0, 3)).size, 3);
  // The axes span the intervals: beside wide ones the same points lie close together.
  const wide = labelCorners([at(0, 0, 30), at(1, 1, 30)]);
  assert.equal(new Set(wide).size, 2);
  // A longer label reaches further; one that is not there is in nobody's way.
  const long = [at(0, 0), at(0.1, 0), at(1, 1)];
  assert.equal(new Set(labelCorners(long.map((point) => ({ ...point, letters: 8 }))).slice(0, 2)).size, 2);
  assert.deepEqual(labelCorners(long.map((point) => ({ ...point, letters: 0 }))), [0, 0, 0]);
  assert.ok(spansDecades([1, 11]) && !spansDecades([1, 9]) && !spansDecades([0, 100]));
});
