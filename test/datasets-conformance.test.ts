/**
 * What every dataset must keep, tried on every plug-in that the built datasets/ folder holds. One that is downloaded
 * is opened from test/fixtures/datasets/NAME and from STRATA_TEST_DATA/NAME (or .../VARIANT), where those are.
 */
import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { before, describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import type { Dataset, DatasetPlugin, DatasetRequest, Passage, Split } from '../harness/contracts.js';
import { root } from './places.js';

const built = path.join(import.meta.dirname, '../datasets');
const data = process.env.STRATA_TEST_DATA ?? path.join(root, '../shared/data');
const splits: readonly Split[] = ['train', 'dev', 'test'];

const fetch = (): never => {
  throw new Error('a dataset that embeds its records, or is given a folder, fetches nothing');
};

/** Folders of STRATA_TEST_DATA that hold topics and qrels alone. */
const withoutCollection = ['dl19'];

/** The ways in which a plug-in can be opened without a network. */
function requests(name: string, plugin: DatasetPlugin): { from: string; request: DatasetRequest }[] {
  return (plugin.variants ?? [undefined]).flatMap((variant) => {
    const named = variant === undefined ? { fetch } : { variant, fetch };
    if (plugin.embedded) return [{ from: 'embedded', request: named }];
    const folders = [
      path.join(root, 'test/fixtures/datasets', name, variant ?? ''),
      path.join(data, variant ?? name),
    ].filter((folder) => existsSync(folder) && !withoutCollection.includes(path.relative(data, folder)));
    return folders.map((folder) => ({ from: folder, request: { ...named, folder } }));
  });
}

async function gather(dataset: Dataset): Promise<Passage[]> {
  const all: Passage[] = [];
  for await (const passage of dataset.passages()) all.push(passage);
  return all;
}

function assertUnique(ids: readonly string[], what: string): void {
  const seen = new Set<string>();
  for (const id of ids) {
    assert.ok(id.length > 0 && !/\s/.test(id), `${what} id '${id}' is empty or holds a blank`);
    assert.ok(!seen.has(id), `${what} id '${id}' comes twice`);
    seen.add(id);
  }
}

const names = readdirSync(built)
  .filter((file) => file.endsWith('.js'))
  .map((file) => path.basename(file, '.js'));

test('there are datasets', () => assert.ok(names.length > 0));

for (const name of names) {
  const module = (await import(pathToFileURL(path.join(built, `${name}.js`)).href)) as {
    default: DatasetPlugin;
  };
  const plugin = module.default;

  test(`${name} describes itself`, () => {
    assert.ok(plugin.summary.length > 0 && !plugin.summary.includes('\n'));
    for (const variant of plugin.variants ?? [undefined]) {
      if (plugin.embedded) assert.deepEqual(plugin.downloads(variant), []);
      for (const download of plugin.downloads(variant)) {
        assert.ok(download.name.length > 0 && download.licence.length > 0);
        // What cannot be fetched says what to do instead.
        if (download.url === '') {
          assert.ok(download.instructions !== undefined && download.instructions.length > 0);
          continue;
        }
        assert.match(download.url, /^https:\/\//);
        assert.ok(Number.isInteger(download.sizeBytes) && download.sizeBytes >= 0);
        // A size without a hash would be half a promise.
        const hash = download.sha256 ?? download.md5;
        if (hash === undefined) assert.equal(download.sizeBytes, 0);
        else {
          assert.ok(download.sizeBytes > 0);
          assert.match(hash, /^([0-9a-f]{64}|[0-9a-f]{32})$/);
        }
      }
    }
  });

  const ways = requests(name, plugin);
  if (ways.length === 0) test(`${name} opens`, { skip: `no data of ${name} below ${data}` }, () => undefined);
  for (const { from, request } of ways) {
    describe(`${[name, request.variant].filter(Boolean).join('/')} from ${from}`, () => {
      let dataset: Dataset;
      let passages: Passage[];
      before(async () => {
        dataset = await plugin.open(request);
        passages = await gather(dataset);
      });

      test('says what it is', () => {
        assert.equal(dataset.name, [name, request.variant].filter(Boolean).join('/'));
        assert.ok(dataset.version.length > 0 && dataset.licence.length > 0);
        assert.equal(dataset.files.length > 0, request.folder !== undefined);
        for (const file of dataset.files) {
          assert.ok(file.name.length > 0 && file.sizeBytes > 0);
          assert.match(file.sha256, /^[0-9a-f]{64}$/);
        }
      });

      test('passages: as many as it says, ids unique, the same ones each time', async () => {
        assert.equal(passages.length, dataset.passageCount);
        assertUnique(
          passages.map(({ passageId }) => passageId),
          'passage',
        );
        for (const { title, text } of passages) {
          assert.equal(typeof title, 'string');
          assert.equal(typeof text, 'string');
        }
        assert.deepEqual(await gather(dataset), passages);
        assert.deepEqual(await gather(await plugin.open(request)), passages);
      });

      test('passages: two readers do not disturb each other', async () => {
        const [a, b] = await Promise.all([gather(dataset), gather(dataset)]);
        assert.deepEqual(a, b);
        for await (const first of dataset.passages()) {
          assert.deepEqual(first, passages[0]);
          break;
        }
        assert.equal((await gather(dataset)).length, passages.length);
      });

      test('queries: ids unique over all splits, the same ones each time', async () => {
        const lists = await Promise.all(splits.map((split) => dataset.queries(split)));
        assertUnique(
          lists.flat().map(({ queryId }) => queryId),
          'query',
        );
        assert.ok(lists[2]!.length > 0, 'there are test queries');
        for (const query of lists.flat()) {
          assert.equal(typeof query.text, 'string');
          assert.equal(query.answers !== undefined, dataset.answerMatching !== undefined);
        }
        assert.deepEqual(await Promise.all(splits.map((split) => dataset.queries(split))), lists);
      });

      for (const split of splits) {
        test(`${split}: qrels and negatives name what exists`, async () => {
          const passageIds = new Set(passages.map(({ passageId }) => passageId));
          const queryIds = new Set((await dataset.queries(split)).map(({ queryId }) => queryId));
          const qrels = await dataset.qrels(split);
          const positives = new Map<string, Set<string>>();
          const pairs = new Set<string>();
          for (const { queryId, passageId, relevance } of qrels) {
            assert.ok(queryIds.has(queryId), `qrel of unknown query ${queryId}`);
            assert.ok(passageIds.has(passageId), `qrel of unknown passage ${passageId}`);
            assert.ok(Number.isInteger(relevance));
            pairs.add(`${queryId} ${passageId}`);
            if (relevance < 1) continue;
            if (!positives.has(queryId)) positives.set(queryId, new Set());
            positives.get(queryId)?.add(passageId);
          }
          assert.equal(pairs.size, qrels.length, 'a pair is judged once');
          // A query with answers may be without one: what is mined for it can be told by the answers.
          if (split === 'train' && dataset.answerMatching === undefined) {
            for (const id of queryIds) assert.ok(positives.has(id), `train query ${id} has no positive`);
          }
          for (const [queryId, ids] of (await dataset.negatives?.(split)) ?? []) {
            assert.ok(queryIds.has(queryId), `negatives of unknown query ${queryId}`);
            assertUnique(ids, `negative of ${queryId}`);
            for (const id of ids) {
              assert.ok(passageIds.has(id), `unknown negative ${id}`);
              assert.ok(!positives.get(queryId)?.has(id), `negative ${id} of ${queryId} is a positive`);
            }
          }
        });
      }
    });
  }
}
