/** What stands in the cells of every report of given records, worked out by hand. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { given, ones } from './given-records.js';
import { prepare, render } from './made-reports.js';

/** Three seeds of two systems: 4, 5 and 6 of 20 queries are answered, and 9, 10 and 11. */
const records = [1, 2, 3].flatMap((seed) =>
  [0, 5].map((more) =>
    given({
      arch: more === 0 ? 'dual-encoder' : 'mlr-sc',
      seed,
      measures: {
        'answer@20': ones(3 + more + seed, 20),
        'average-rank': Array.from({ length: 20 }, (_, q) => 10 * seed + (q % 2) - more),
      },
      lower: ['average-rank'],
      samples: { search: [more + 1, more + 2, more + 3], total: [10, 10, 10] },
      index: {
        kind: 'IVF4,Flat',
        vectorsPerPassage: 1,
        sizeBytes: {
          vectors: 1_048_576 * (more + 1),
          identifiers: 0,
          offsets: 0,
          total: 1_048_576 * (more + 1),
        },
        curve: { depth: 10, parameter: 'nprobe', points: [{ value: 1, recall: { 10: 0.5 + more / 20 } }] },
      },
    }),
  ),
);

/**
 * Means of 0.2, 0.25 and 0.3, and of 0.45, 0.5 and 0.55. Query by query seven gain, a third, two thirds, 1 three times, two
 * thirds and a third: 5 of 20, s = 0.388, t = 2.881 with 19 degrees of freedom, p = 0.0096. Every query ranks 5 better: 1 of
 * 1,001 sign patterns, twice that for two measures. The differences of the seeds have no spread.
 */
test('markdown: the rows of the systems, of the details and of the differences', async () => {
  const lines = (await render('markdown', await prepare(records))).split('\n');
  const rows = (title: string) => {
    const from = lines.findIndex((line) => line.startsWith(title));
    return lines.slice(from).filter((line) => line.startsWith('|'));
  };
  assert.deepEqual(rows('## made').slice(0, 4), [
    '| system | seeds | answer@20 % | average-rank | vectors | index | per passage | at 21 M, projected | recall % | search ms | total ms |',
    '| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |',
    '| dual-encoder | 3 seeds | 25.0±5.0 | 20.50±10 | 1 | **1.00 MiB** | **1.02 KiB** | 10.0 GiB | 50.0 | **2.00** | 10.0 |',
    '| mlr-sc | 3 seeds | **50.0±5.0\\*** | **15.50±10\\*** | 1 | 6.00 MiB | 6.14 KiB | 10.0 GiB | **75.0** | 7.00 | 10.0 |',
  ]);
  // (9 - 1) 0.95 = 7.6, between the eighth and the ninth of 1, 1, 1, 2, 2, 2, 3, 3, 3.
  assert.match(
    rows('### Costs')[3]!,
    /^\| mlr-sc \| 3 seeds \| 6\.00 MiB \| 2 \| 8\.00 \(\d\.\d\d to 8\.00\) \|$/,
  );
  const [first, overSeeds, ranks, ranksOverSeeds, search] = rows('### Differences').slice(2);
  assert.match(
    first!,
    /^\| dual-encoder \| mlr-sc \| answer@20 \| queries \| paired t \| \+25\.0 \| 1\d\.\d to 4\d\.\d \| 0\.010 \| 0\.010 \| d\\_z 0\.64 \| 7\/13\/0 \|$/,
  );
  assert.equal(
    overSeeds,
    '| dual-encoder | mlr-sc | answer@20 | seeds | paired t | +25.0 | – | – | – | d\\_z ∞ | 3/0/0 |',
  );
  assert.equal(
    ranks,
    '| dual-encoder | mlr-sc | average-rank | queries | paired randomization | −5 | – | &lt;0.001 | 0.002 | d\\_z ∞ | 20/0/0 |',
  );
  assert.equal(
    ranksOverSeeds,
    '| dual-encoder | mlr-sc | average-rank | seeds | paired t | −5 | – | – | – | d\\_z ∞ | 3/0/0 |',
  );
  assert.match(
    search!,
    /^\| dual-encoder \| mlr-sc \| search latency \| queries \| ratio of medians \| ×3\.50 \| ×2\.67 to ×6\.00 \|/,
  );
});

test('latex: the rows, each with its marks', async () => {
  const lines = (await render('latex', await prepare(records))).split('\n');
  const from = lines.indexOf('\\midrule');
  assert.deepEqual(lines.slice(from + 1, lines.indexOf('\\bottomrule')), [
    'dual-encoder & 25.0$\\pm$5.0 & 20.50$\\pm$10 & \\textbf{1.00 MiB} & \\textbf{2.00} \\\\',
    'mlr-sc & \\textbf{50.0$\\pm$5.0}$^{*}$ & \\textbf{15.50$\\pm$10}$^{*}$ & 6.00 MiB & 7.00 \\\\',
  ]);
});

/** The texts of the cells of a row, tags left out. */
const cellsOf = (row: string) =>
  [...row.matchAll(/<t[hd][^>]*>(.*?)<\/t[hd]>/g)].map(([, cell]) => cell!.replace(/<[^>]+>/g, ' ').trim());

test('html: the cells of the systems and of the differences, the best of a column marked', async () => {
  const html = await render('html', await prepare(records));
  const rows = [...html.matchAll(/<tr>.*?<\/tr>/gs)].map(([row]) => row);
  const [baseline, candidate] = ['dual-encoder', 'mlr-sc'].map(
    (name) => rows.find((row) => row.includes(`</span> ${name}<small>`))!,
  );
  assert.deepEqual(
    [baseline, candidate].map((row) => cellsOf(row!).map((cell) => cell.replace(/\s+/g, ' '))),
    [
      [
        '1 dual-encoder 3 seeds',
        '25.0 ±5.0',
        '20.50 ±10',
        '1',
        '1.00 MiB',
        '1.02 KiB',
        '10.0 GiB',
        '50.0',
        '2.00',
        '10.0',
      ],
      [
        '2 mlr-sc 3 seeds',
        '50.0* ±5.0',
        '15.50* ±10',
        '1',
        '6.00 MiB',
        '6.14 KiB',
        '10.0 GiB',
        '75.0',
        '7.00',
        '10.0',
      ],
    ],
  );
  const best = (row: string) =>
    [...row.matchAll(/<td(?: class="([^"]*)")?[^>]*>/g)].map(([, names]) => /\bbest\b/.test(names ?? ''));
  const no = false;
  assert.deepEqual(best(baseline!), [no, no, no, true, true, no, no, true, no]);
  assert.deepEqual(best(candidate!), [true, true, no, no, no, no, true, no, no]);
  const answers = cellsOf(rows.find((row) => row.includes('>answer@20</td>'))!);
  assert.deepEqual(
    [answers.slice(0, 3), answers.slice(4)],
    [
      ['mlr-sc', 'answer@20', '+25.0'],
      ['0.010', 'd_z 0.64', '7/13/0', '+25.0', '–', '–'],
    ],
  );
  assert.deepEqual(cellsOf(rows.find((row) => row.includes('>average-rank</td>'))!), [
    ...['average-rank', '−5', '–', '0.002', 'd_z ∞', '20/0/0', '−5', '–', '–'],
  ]);
  assert.match(
    html,
    /mlr-sc has the best answer@20, 50\.0 %: \+25\.0 points against dual-encoder \(corrected p 0\.010\), with an index of ×6\.00 and a search of ×3\.50\./,
  );
});

test('the finding goes by the sign of the measure that charts go by', async () => {
  const html = await render('html', await prepare(records, { measures: ['average-rank'] }));
  assert.match(
    html,
    /mlr-sc has the best average-rank, 15\.50: −5 against dual-encoder \(corrected p &lt;0\.001\)/,
  );
  const worse = await render(
    'html',
    await prepare(records, { measures: ['average-rank'], baseline: 'mlr-sc' }),
  );
  assert.match(worse, /mlr-sc has average-rank 15\.50, the best of 2 systems\./);
});
