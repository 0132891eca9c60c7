/** Asking a server for vectors: what it may answer, what is tried again, and that the key stands nowhere. */
import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { test } from 'node:test';
import { EmbeddingsClient, embeddingsUrl, endpointKey, retryAfterMs } from '../harness/endpoint/client.js';
import { Pace } from '../harness/endpoint/pace.js';
import { BenchError } from '../harness/errors.js';
import { type Asked, answerTo, bodyOf, dimensions, send, vectorOf } from './endpoint-server.js';
import { failsWith, loopback } from './loopback.js';

const server = loopback();
const key = 'sk-very-secret-key';
const texts = ['one', 'two', 'three'];

/** Answers the requests one after another, the last of them again and again. */
function answering(...answers: ((asked: Asked, response: ServerResponse) => void)[]): Asked[] {
  const asked: Asked[] = [];
  server.handle = (request, response) => {
    void bodyOf(request).then((body) => {
      asked.push(body);
      answers[Math.min(asked.length, answers.length) - 1]!(body, response);
    });
  };
  return asked;
}

function client(changes: Partial<ConstructorParameters<typeof EmbeddingsClient>[0]> = {}) {
  const notes: string[] = [];
  const asking = new EmbeddingsClient({
    url: embeddingsUrl(new URL(server.url).origin),
    ...{ model: 'mine', key, retries: 3, timeoutSeconds: 20, requestsPerMinute: null, firstWaitMs: 1 },
    note: (line) => notes.push(line),
    ...changes,
  });
  return { asking, notes };
}

const right = (asked: Asked, response: ServerResponse) => send(response, answerTo(asked));
const answer =
  (change: (whole: ReturnType<typeof answerTo>) => unknown) => (asked: Asked, response: ServerResponse) =>
    send(response, change(answerTo(asked)));
const status =
  (code: number, body: unknown, headers = {}) =>
  (_: Asked, response: ServerResponse) =>
    send(response, body, code, headers);

test('vectors come back in the place of their texts, whatever order the answer has', async () => {
  const asked = answering(
    right,
    answer((whole) => ({ ...whole, data: whole.data.reverse() })),
  );
  const { asking } = client();
  const expected = Float32Array.from(texts.flatMap(vectorOf));
  for (let i = 0; i < 2; i++) {
    const found = await asking.embed(texts);
    assert.deepEqual(found.vectors, expected);
    assert.equal(found.dimensions, dimensions);
    assert.equal(found.model, 'served-model');
  }
  assert.deepEqual(asked[0], { model: 'mine', input: texts, encoding_format: 'float' });
  assert.equal(server.seen[0]!.authorization, `Bearer ${key}`);
  const { asking: bare } = client({ model: null, key: undefined });
  await bare.embed(texts);
  assert.deepEqual(asked[2], { input: texts, encoding_format: 'float' });
  assert.equal(server.seen[2]!.authorization, undefined);
});

test('an answer that is not what was asked for is a clear error, and is not asked for again', async () => {
  const item = (change: (data: ReturnType<typeof answerTo>['data']) => unknown) =>
    answer((whole) => {
      const { data } = whole;
      return { ...whole, data: change(data) ?? data };
    });
  const cases: [(asked: Asked, response: ServerResponse) => void, string][] = [
    [item((data) => data.slice(1)), '2 vectors to 3 texts'],
    [item((data) => [...data, data[0]]), '4 vectors to 3 texts'],
    [item((data) => void Object.assign(data[1]!, { index: 0 })), 'index 0 twice'],
    [item((data) => void Object.assign(data[1]!, { index: 3 })), 'index 3 among 3'],
    [item((data) => void Object.assign(data[1]!, { index: -1 })), 'index -1 among 3'],
    [item((data) => data.map(({ embedding }) => ({ embedding }))), 'index nothing'],
    [item((data) => void data[1]!.embedding.pop()), '4 dimensions where others have 5'],
    [item((data) => data.map((each) => ({ ...each, embedding: [] }))), 'without numbers'],
    [item((data) => void data[2]!.embedding.splice(4, 1, null)), 'null in vector 3'],
    [item((data) => void data[2]!.embedding.splice(4, 1, '1')), '"1" in vector 3'],
    [item((data) => void data[2]!.embedding.splice(4, 1, 1e39)), '1e+39 in vector 3'],
    [item((data) => data.map((each) => ({ ...each, embedding: 'AAAA' }))), 'text for a vector'],
    [item((data) => [null, ...data.slice(1)]), 'index nothing'],
    [answer(() => ({ embeddings: [] })), 'without "data"'],
    [answer(() => 'null'), 'without "data"'],
    [answer((whole) => JSON.stringify(whole).replace(/\[-?\d/, '[NaN')), 'NaN among its numbers'],
    [
      answer((whole) => JSON.stringify(whole).replace(/,-?\d\]/, ',-Infinity]')),
      '-Infinity among its numbers',
    ],
    [status(307, '', { location: 'http://elsewhere/' }), 'points elsewhere (307, http://elsewhere/)'],
    [status(400, { error: { message: 'too long' } }), 'it answered 400: {"error":{"message":"too long"}}'],
    [status(404, 'no such model'), 'it answered 404: no such model'],
    [status(413, ''), 'it answered 413.'],
  ];
  for (const [handle, part] of cases) {
    const asked = answering(handle);
    await failsWith(
      client().asking.embed(texts),
      'DOWNLOAD_FAILED',
      part,
      server.url.replace('/data.bin', ''),
    );
    assert.equal(asked.length, 1, part);
  }
  answering(right);
  await failsWith(client().asking.embed(texts, 7), 'DOWNLOAD_FAILED', '5 dimensions where others have 7');
});

test('what may pass is tried again, and told; in the end the last failure stands', async () => {
  const cut = (_: Asked, response: ServerResponse) => {
    response.writeHead(200, { 'content-length': 1000 });
    response.write('{"data": [', () => response.destroy());
  };
  const half = answer((whole) => JSON.stringify(whole).slice(0, 50));
  const hungUp = (_: Asked, response: ServerResponse) => void response.destroy();
  for (const failing of [
    cut,
    half,
    hungUp,
    status(500, 'oh'),
    status(503, ''),
    status(429, 'slow'),
    status(408, ''),
  ]) {
    const asked = answering(failing, failing, right);
    const { asking, notes } = client();
    assert.deepEqual((await asking.embed(texts)).vectors, Float32Array.from(texts.flatMap(vectorOf)));
    assert.equal(asked.length, 3);
    assert.equal(notes.length, 2);
    assert.match(notes[1]!, /again in 0\.0 s$/);
  }
  for (const [failing, part] of [
    [cut, 'its answer was cut'],
    [half, 'half of it'],
    [hungUp, 'the connection failed'],
    [status(500, 'oh'), 'it answered 500: oh'],
    [status(429, 'slow'), 'it answered 429: slow'],
  ] as const) {
    const asked = answering(failing);
    await failsWith(client().asking.embed(texts), 'DOWNLOAD_FAILED', part, 'the last of 4 attempts');
    assert.equal(asked.length, 4);
  }
});

test('a server says how long to wait, and is not waited for where that is very long', async () => {
  const asked = answering(status(429, '', { 'retry-after': '0.05' }), right);
  const { asking, notes } = client({ firstWaitMs: 100_000 });
  const started = performance.now();
  await asking.embed(texts);
  assert.ok(performance.now() - started >= 49);
  assert.equal(asked.length, 2);
  assert.match(notes[0]!, /it answered 429; again in 0\.1 s/);
  answering(status(429, '', { 'retry-after': '86400' }));
  await failsWith(client().asking.embed(texts), 'DOWNLOAD_FAILED', '429', '86400 seconds of quiet');
  const now = Date.parse('2026-01-02T03:04:05Z');
  assert.equal(retryAfterMs('Fri, 02 Jan 2026 03:04:35 GMT', now), 30_000);
  assert.equal(retryAfterMs('Fri, 02 Jan 2026 03:04:00 GMT', now), 0);
  assert.equal(retryAfterMs('12', now), 12_000);
  assert.equal(retryAfterMs('soon', now), undefined);
  assert.equal(retryAfterMs(null, now), undefined);
});

test('no key, or a wrong one: said once, without the key, even where the server says it back', async () => {
  for (const code of [401, 403]) {
    const asked = answering(status(code, { error: `key ${key} is unknown` }));
    await assert.rejects(client().asking.embed(texts), (error: unknown) => {
      assert.ok(error instanceof BenchError);
      assert.match(error.message, new RegExp(`it answered ${code}: .*key \\[key\\] is unknown`));
      assert.match(error.hint!, /BENCH_ENDPOINT_KEY/);
      assert.ok(!JSON.stringify([error, error.message, error.stack, error.cause]).includes(key));
      return true;
    });
    assert.equal(asked.length, 1);
  }
  const { asking, notes } = client({ retries: 1 });
  answering(status(500, `failed for ${key}`));
  await assert.rejects(asking.embed(texts), (error: Error) => !error.message.includes(key));
  assert.ok(notes.every((line) => line.includes('[key]')));
  assert.equal(endpointKey(' abc\n'), 'abc');
  assert.equal(endpointKey(undefined), undefined);
  assert.equal(endpointKey(' '), undefined);
  assert.throws(
    () => endpointKey('ab\ncd'),
    (error: BenchError) => error.code === 'USAGE' && !error.message.includes('ab'),
  );
});

test('a server that does not answer, or is not there', async () => {
  answering(() => undefined);
  await failsWith(
    client({ timeoutSeconds: 0.05, retries: 1 }).asking.embed(texts),
    'DOWNLOAD_FAILED',
    'not answered within 0.05 seconds',
    'the last of 2 attempts',
  );
  await failsWith(
    client({ url: embeddingsUrl('http://127.0.0.1:1'), retries: 0 }).asking.embed(texts),
    'DOWNLOAD_FAILED',
    'http://127.0.0.1:1/v1/embeddings',
    'the connection failed',
  );
});

test('an interrupt ends a request, and the waiting for the next', async () => {
  for (const handle of [() => undefined, status(429, '', { 'retry-after': '500' })]) {
    answering(handle);
    const controller = new AbortController();
    const work = client({ signal: controller.signal }).asking.embed(texts);
    setTimeout(() => controller.abort(), 50);
    await assert.rejects(work, { code: 'INTERRUPTED' });
  }
});

test('requests per minute: each waits for its turn', async () => {
  // Two turns of 40 ms; a timer of Node may come a millisecond early.
  const least = 75;
  const pace = new Pace(60_000 / 40);
  const started = performance.now();
  const { signal } = new AbortController();
  await Promise.all([pace.wait(signal), pace.wait(signal), pace.wait(signal)]);
  assert.ok(performance.now() - started >= least);
  const asked = answering(right);
  const limited = client({ requestsPerMinute: 60_000 / 40 }).asking;
  const begun = performance.now();
  for (let i = 0; i < 3; i++) await limited.embed(texts);
  assert.ok(performance.now() - begun >= least);
  assert.equal(asked.length, 3);
});

test('the address of a server: with or without its path, and nothing secret in it', () => {
  const at = (text: string) => embeddingsUrl(text).href;
  assert.equal(at('http://localhost:8080'), 'http://localhost:8080/v1/embeddings');
  assert.equal(at('http://localhost:8080/'), 'http://localhost:8080/v1/embeddings');
  assert.equal(at('https://host/v1'), 'https://host/v1/embeddings');
  assert.equal(at('https://host/openai/v1/'), 'https://host/openai/v1/embeddings');
  assert.equal(at('https://host/v1/embeddings'), 'https://host/v1/embeddings');
  for (const [text, part] of [
    ['localhost:8080', 'localhost:'],
    ['nothing', '"nothing"'],
    ['', '""'],
    ['ftp://host', 'ftp:'],
    ['https://user:pass@host', 'name and password'],
    ['https://host/?key=secret', 'neither ?'],
  ] as const)
    assert.throws(
      () => embeddingsUrl(text),
      (error: BenchError) => {
        assert.equal(error.code, 'USAGE');
        assert.ok(error.message.includes(part), error.message);
        assert.ok(!/pass@|secret/.test(error.message));
        return true;
      },
    );
});
