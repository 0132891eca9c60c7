import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { kinds } from '../datasets/sample/words.js';
import sample from '../datasets/sample.js';
import type { Passage, Split } from '../harness/contracts.js';
import { BenchError } from '../harness/errors.js';
import { AnswerMatcher, PassageText, tokens } from '../harness/text/answers.js';

const dataset = await sample.open({ fetch: () => assert.fail('nothing is fetched') });
const passages: Passage[] = [];
for await (const passage of dataset.passages()) passages.push(passage);
const byId = new Map(passages.map((passage) => [passage.passageId, passage]));
const texts = new Map(passages.map(({ passageId, text }) => [passageId, new PassageText(text)]));
const splits: readonly Split[] = ['train', 'dev', 'test'];
const parts = await Promise.all(
  splits.map(async (split) => ({
    queries: await dataset.queries(split),
    qrels: await dataset.qrels(split),
    negatives: [...((await dataset.negatives?.(split)) ?? [])],
  })),
);
const [train, , tested] = parts;

test('a folder is refused, for it would not be read', async () => {
  await assert.rejects(
    sample.open({ folder: 'scifact', fetch: () => assert.fail('nothing is fetched') }),
    (error) => error instanceof BenchError && error.code === 'USAGE' && /--dataset beir/.test(error.hint!),
  );
});

test('the collection, as a table', () => {
  assert.equal(dataset.version, '1.1');
  assert.deepEqual([passages.length, ...parts.map(({ queries }) => queries.length)], [2000, 3200, 300, 1000]);
  assert.deepEqual(
    [passages[0], passages[9], passages.at(-1)],
    [
      {
        passageId: 'p0',
        title: 'Free Bank',
        text: 'Nobody in Salton can miss the Free Bank. Flames took its roof in 1864. It is now run by Agnes Jarvis. It is best known for its copper staircase. Its new home is in Potter Lane.',
      },
      {
        passageId: 'p9',
        title: 'Castell Library',
        text: 'Salham is proud of the Castell Library. Bruno Norris is the director. It has been shifted to Church Road. A twin of it trades in Wilton.',
      },
      {
        passageId: 'p1999',
        title: 'Norris Prison',
        text: 'Hartford is proud of the Norris Prison. It competes with another in Elmham. It burned to the ground in 1847. Its new home is in Swan Hill.',
      },
    ],
  );
  const { queries } = tested!;
  assert.deepEqual(
    [queries[0], queries[9], queries.at(-1)],
    [
      {
        queryId: 'test-0',
        text: "What town threatens the business of the Iversen family's troupe of acrobats?",
        answers: ['Wilford'],
      },
      {
        queryId: 'test-9',
        text: "Who financed Bradford's boat builder?",
        answers: ['the savings of miners'],
      },
      {
        queryId: 'test-999',
        text: "What was on the site earlier than the Gresham family's metal melting plant?",
        answers: ['a ruined tavern'],
      },
    ],
  );
});

test('its records belong to its version: whoever changes them changes both', () => {
  const all = createHash('sha256')
    .update(JSON.stringify([passages, parts]))
    .digest('hex');
  assert.deepEqual(
    [dataset.version, all],
    ['1.1', '916b8a6fe4212d52e5346a34f563470b1b5d2726dd8dfe11a527a882ec42d857'],
  );
});

test('several facts share a passage', () => {
  const asked = new Map<string, number>();
  for (const { passageId } of parts.flatMap(({ qrels }) => qrels)) {
    asked.set(passageId, (asked.get(passageId) ?? 0) + 1);
  }
  const several = [...asked.values()].filter((count) => count >= 2).length;
  assert.ok(several > passages.length / 2, `${several} passages are asked for more than once`);
});

test('each answer is in its passage, and in none of the hard negatives', () => {
  for (const { queries, qrels, negatives } of parts) {
    for (const [i, { queryId, answers }] of queries.entries()) {
      const matcher = new AnswerMatcher(answers!, 'string');
      assert.equal(qrels[i]?.queryId, queryId);
      assert.ok(matcher.matches(texts.get(qrels[i]!.passageId)!));
      const [of, ids] = negatives[i]!;
      assert.equal(of, queryId);
      assert.ok(ids.length > 0);
      for (const id of ids) assert.ok(!matcher.matches(texts.get(id)!));
    }
  }
});

test('an answer stands in other passages too, as in real collections', () => {
  const { queries } = tested!;
  const elsewhere = queries.filter(({ answers }) => {
    const matcher = new AnswerMatcher(answers!, 'string');
    return [...texts.values()].filter((text) => matcher.matches(text)).length > 1;
  });
  assert.ok(elsewhere.length > queries.length / 4, `${elsewhere.length} of ${queries.length}`);
});

test('what queries call a house is not what passages call it', () => {
  const said = new Set(passages.flatMap(({ title, text }) => tokens(`${title} ${text}`)));
  for (const { noun, asked } of kinds) {
    assert.ok(said.has(noun.toLowerCase()));
    for (const phrase of asked) {
      const matcher = new AnswerMatcher([phrase], 'string');
      assert.ok(![...texts.values()].some((text) => matcher.matches(text)), phrase);
    }
  }
});

test('counting common words does not find the passage', () => {
  const words = passages.map(({ title, text }) => new Set(tokens(`${title} ${text}`)));
  const frequency = new Map<string, number>();
  for (const set of words) for (const word of set) frequency.set(word, (frequency.get(word) ?? 0) + 1);
  const weight = (word: string) => Math.log(passages.length / (frequency.get(word) ?? passages.length));
  const { queries, qrels } = tested!;
  let found = 0;
  for (const [i, { text }] of queries.entries()) {
    const asked = [...new Set(tokens(text))];
    const scores = words.map((set) =>
      asked.reduce((sum, word) => sum + (set.has(word) ? weight(word) : 0), 0),
    );
    const own = scores[passages.findIndex(({ passageId }) => passageId === qrels[i]!.passageId)]!;
    if (scores.filter((score) => score >= own).length <= 20) found++;
  }
  // By chance it would be 1%; a trained dual encoder of 2 layers finds nearly all.
  assert.ok(found > queries.length * 0.1 && found < queries.length * 0.6, `${found} of ${queries.length}`);
});

test('hard negatives share a name with the query', () => {
  const { queries, negatives } = train!;
  for (const [i, [, ids]] of negatives.entries()) {
    const names = queries[i]!.text.match(/\p{Lu}\p{L}+/gu)!.slice(1);
    for (const id of ids) {
      const { title, text } = byId.get(id)!;
      assert.ok(names.some((name) => `${title} ${text}`.includes(name)));
    }
  }
});
