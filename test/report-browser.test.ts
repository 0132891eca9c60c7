/** The page in a browser: Debian's chromium, driven by playwright-core, which downloads nothing. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';
import type { StoredRecord } from '../harness/record.js';
import { stored } from './made-records.js';
import { prepare, render } from './made-reports.js';

const executablePath = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(
  (file) => existsSync(file),
);
const missing = 'there is no chromium here (apt-get install chromium)';
if (executablePath === undefined && process.env.STRATA_NEEDS_CHROMIUM === '1') throw new Error(missing);
const skip = executablePath === undefined ? missing : false;

const folder = mkdtempSync(path.join(tmpdir(), 'bench-browser-'));
const file = path.join(folder, 'report.html');
let browser: Browser | undefined;

const attack = '</script><img src=x onerror="window.attacked = true">';
/** On a machine that counts energy. */
function counting({ file, record }: StoredRecord): StoredRecord {
  const costs = { 'joules-per-query': { value: 0.25 } };
  return { file, record: { ...record, answering: { queries: 200, seconds: 2, costs } } };
}

const records = [1, 2].flatMap((seed) => [
  counting(stored({ seed })),
  stored({ arch: 'mlr-sc', seed, lift: 0.1 }),
  stored({ arch: 'me-bert', seed, vectors: 4, lift: 0.05, slower: 2 }),
  stored({ arch: `mlr ${attack}`, seed, layers: [1, 2] }),
]);

before(async () => {
  if (executablePath === undefined) return;
  writeFileSync(file, await render('html', await prepare(records)));
  browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] });
});
after(async () => {
  await browser?.close();
  rmSync(folder, { recursive: true });
});

/** Opens the page; whatever it complains of, or asks of the network, fails the test. */
async function opened(
  check: (page: Page) => Promise<void>,
  options: {
    javaScriptEnabled?: boolean;
    viewport?: { width: number; height: number };
    colorScheme?: 'light' | 'dark';
  } = {},
): Promise<void> {
  const page = await browser!.newPage({ viewport: { width: 1280, height: 900 }, ...options });
  // A machine that does much else is slow, and no page is wrong for it.
  page.setDefaultTimeout(300_000);
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => complaints.push(message.text()));
  page.on('request', (request) => {
    if (request.url() !== pathToFileURL(file).href) complaints.push(request.url());
  });
  try {
    await page.goto(pathToFileURL(file).href);
    await check(page);
    assert.deepEqual(complaints, []);
    // A handler that a name brought along would have run by now.
    assert.equal(await page.locator('img').count(), 0);
  } finally {
    await page.close();
  }
}

const points = (page: Page) => page.locator('.explore .point');

test('axes are chosen, systems hidden, and a point tells its settings', { skip }, async () => {
  await opened(async (page) => {
    assert.equal(await points(page).count(), 4);
    const [up, along] = [
      page.getByLabel('up', { exact: true }).first(),
      page.getByLabel('along', { exact: true }).first(),
    ];
    await up.selectOption('mrr@10');
    await along.selectOption('index-bytes');
    const titles = await page.locator('.explore .axis').allTextContents();
    assert.deepEqual(titles.slice(0, 2), ['index, MiB', 'mrr@10, %']);
    for (const name of await along.locator('option').allTextContents())
      assert.doesNotMatch(name, /undefined/);
    await along.selectOption('joules-per-query');
    assert.equal(await page.locator('.explore .axis').first().textContent(), 'energy a query, J');
    await along.selectOption('index-bytes');
    const before = await points(page).nth(2).locator('circle').getAttribute('cx');
    await along.selectOption('search-ms');
    assert.notEqual(await points(page).nth(2).locator('circle').getAttribute('cx'), before);
    await page.locator('.systems input').nth(0).uncheck();
    assert.equal(await points(page).count(), 3);
    await points(page).first().hover();
    const told = await page.locator('.explore .told').first().textContent();
    assert.match(told!, /^mlr-sc: mrr@10, % [\d.]+, search, ms [\d.]+; .*M 1/);
    await points(page).nth(1).focus();
    assert.match((await page.locator('.explore .told').first().textContent())!, /M 4/);
  });
});

test('two systems are laid side by side query by query, with as many queries as there are', {
  skip,
}, async () => {
  await opened(async (page) => {
    const told = page.locator('.explore .told').nth(1);
    const counts = async () => (await told.textContent())!.match(/\d+(?=[ ,]|$)/g)!.map(Number);
    await page.getByLabel('along', { exact: true }).nth(1).selectOption('0');
    await page.getByLabel('up', { exact: true }).nth(1).selectOption('1');
    const text = (await told.textContent())!;
    const [, more, less, equal] = /more on (\d+) of 200 queries, .* on (\d+), and (\d+) are equal/
      .exec(text)!
      .map(Number);
    assert.equal(more! + less! + equal!, 200);
    assert.ok(less! > more!, 'the second was made the better one');
    await page.locator('.explore .spot').first().click({ force: true });
    assert.match((await told.textContent())!, /^\d+ quer(y|ies), [\d.]+ and [\d.]+: q\d+/);
    await page.getByLabel('by', { exact: true }).selectOption('mrr@10');
    assert.match((await told.textContent())!, /^mrr@10: dual-encoder has more on/);
    assert.ok((await counts()).length > 0);
  });
});

test('tables are sorted by their numbers and filtered by their texts', { skip }, async () => {
  await opened(async (page) => {
    const table = page.locator('table').first();
    const names = () => table.locator('tbody tr:visible th').allTextContents();
    const asMade = await names();
    const head = table.locator('thead th', { hasText: 'index' }).last();
    const bytes = async () =>
      table.locator('tbody tr').evaluateAll(
        (rows, at) => {
          return rows.map((row) =>
            Number((row as unknown as { cells: { dataset: { value: string } }[] }).cells[at]!.dataset.value),
          );
        },
        await head.evaluate((cell) => (cell as unknown as { cellIndex: number }).cellIndex),
      );
    await head.locator('button').click();
    assert.equal(await head.getAttribute('aria-sort'), 'descending');
    const falling = await bytes();
    assert.deepEqual(
      falling,
      [...falling].sort((a, b) => b - a),
    );
    await head.locator('button').click();
    assert.deepEqual(
      await bytes(),
      [...falling].sort((a, b) => a - b),
    );
    await head.locator('button').click();
    assert.deepEqual(await names(), asMade);
    await page.locator('input[type=search]').first().fill('ME-bert');
    assert.equal((await names()).length, 1);
    await page.locator('input[type=search]').first().fill('');
    assert.equal((await names()).length, 4);
  });
});

test('without script the page is whole, and shows nothing that would need one', { skip }, async () => {
  await opened(
    async (page) => {
      assert.equal(await page.locator('.explore:visible').count(), 0);
      assert.equal(await page.locator('button, input, select').count(), 0);
      assert.equal((await page.locator('figure svg').count()) > 0, true);
      assert.equal(await page.locator('table').first().locator('tbody tr').count(), 4);
    },
    { javaScriptEnabled: false },
  );
});

test('light, dark, on a phone and printed nothing is cut off or without contrast', { skip }, async () => {
  const shots = process.env.STRATA_SCREENSHOTS;
  const shoot = async (page: Page, name: string) => {
    if (shots !== undefined) await page.screenshot({ path: path.join(shots, `${name}.png`), fullPage: true });
  };
  const colours = new Map<string, string[]>();
  for (const colorScheme of ['light', 'dark'] as const) {
    await opened(
      async (page) => {
        await shoot(page, colorScheme);
        const of = (selector: string, property: string) =>
          page
            .locator(selector)
            .first()
            .evaluate((element, name) => {
              const { getComputedStyle } = globalThis as unknown as {
                getComputedStyle(element: unknown): Record<string, string>;
              };
              return getComputedStyle(element)[name]!;
            }, property);
        colours.set(colorScheme, [
          await of('body', 'backgroundColor'),
          await of('.drawing .axis', 'fill'),
          await of('.controls select', 'color'),
        ]);
      },
      { colorScheme },
    );
  }
  const [light, dark] = [colours.get('light')!, colours.get('dark')!];
  for (const [i, colour] of light.entries()) assert.notEqual(colour, dark[i], `${colour} in light and dark`);
  assert.notEqual(dark[0], dark[1]);
  await opened(
    async (page) => {
      await shoot(page, 'phone');
      const wide = await page.evaluate('document.documentElement.scrollWidth');
      assert.ok(Number(wide) <= 360, `the page is ${wide} wide on a phone of 360`);
      // What stands still while figures go by leaves them room.
      const name = 'pretrained:somebody/all-MiniLM-L6-v2@c9745ed1d9f207416be6d2e6f8de32d1f16199bf';
      const still = page.locator('th[scope=row], .dense .system');
      for (const each of await still.all()) {
        await each.evaluate(
          (element, text) => (element as unknown as { append(text: string): void }).append(text),
          name,
        );
        const width = (await each.boundingBox())?.width ?? 0;
        assert.ok(width <= 216, `a name takes ${width} of 360`);
      }
    },
    { viewport: { width: 360, height: 740 } },
  );
  await opened(async (page) => {
    await page.emulateMedia({ media: 'print' });
    await shoot(page, 'print');
    assert.equal(await page.locator('.controls:visible').count(), 0);
    assert.equal(await page.locator('.explore svg:visible').count(), 2);
    if (shots !== undefined) await page.pdf({ path: path.join(shots, 'print.pdf'), preferCSSPageSize: true });
  });
});
