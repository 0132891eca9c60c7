/** Every reader of files does twice the work for twice the input, and refuses what has no end before the memory is full. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createWriteStream, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { describe, test } from 'node:test';
import { createGzip } from 'node:zlib';
import { BenchError } from '../harness/errors.js';
import { quotedRows } from '../harness/interchange/quoted-columns.js';
import { readRunFile } from '../harness/interchange/run-file.js';
import { growingFiles } from '../harness/perf/growing-files.js';
import { writeGrowing } from '../harness/perf/perf-doubling.js';
import { workOf } from './counted-work.js';
import { writtenFiles } from './written-files.js';

const { folder } = writtenFiles('strata-linear-');
const MB = 1e6;

/** Reads, and takes a refusal for an end. */
async function readTo(read: (file: string) => Promise<unknown>, file: string): Promise<void> {
  await read(file).catch((error: unknown) => assert.ok(error instanceof BenchError, String(error)));
}

describe('twice the input is twice the work', () => {
  for (const shape of growingFiles) {
    test(shape.name, async () => {
      const file = path.join(folder, 'growing');
      const works: number[] = [];
      // Several blocks of a MiB, so that what is done again for each of them shows.
      for (const size of [2 * MB, 4 * MB]) {
        await writeGrowing(file, shape, size);
        works.push(await workOf(() => readTo(shape.read, file)));
      }
      const [once, twice] = works as [number, number];
      assert.ok(once > 0);
      assert.ok(twice < 2.3 * once, `${once} and ${twice}: a ratio of ${(twice / once).toFixed(2)}`);
    });
  }

  test('work that grows with the square would be found', async () => {
    const rescanning = async (blocks: number) => {
      let text = '';
      for (let i = 0; i < blocks; i++) {
        text += ' '.repeat(1000);
        text.indexOf('"');
      }
    };
    const [once, twice] = [await workOf(() => rescanning(3)), await workOf(() => rescanning(6))];
    assert.ok(twice > 3 * once, `${once}, ${twice}`);
  });
});

/** A file of gzip that unpacks to so many MB after its beginning. */
async function packed(name: string, start: string, megabytes: number): Promise<string> {
  const file = path.join(folder, name);
  const piece = Buffer.alloc(MB, ' ');
  const pieces = function* () {
    yield start;
    for (let i = 0; i < megabytes; i++) yield piece;
  };
  await pipeline(Readable.from(pieces()), createGzip({ level: 1 }), createWriteStream(file));
  return file;
}

describe('what has no end is refused', () => {
  for (const [start, pattern] of [
    ['', /begins with \d+ bytes of white space/],
    ['q Q0 p', /line 1: longer than 16777216 bytes/],
    ['[', /line 1: more than 16777216 bytes of white space/],
    ['{', /line 1: more than 16777216 bytes of white space/],
    ['[{"a": ', /element 1 of the array is larger than 67108864 bytes/],
    ['{"q": ', /member 1 of the object is larger than 67108864 bytes/],
    ['["', /element 1 of the array is larger than 67108864 bytes/],
  ] as const) {
    test(`a run that goes on with blanks after ${JSON.stringify(start)}`, async () => {
      await assert.rejects(readRunFile(await packed('blanks.gz', start, 80)), (error) => {
        assert.ok(error instanceof BenchError && error.code === 'RECORD_INVALID', String(error));
        assert.match(error.message, pattern);
        return true;
      });
    });
  }

  test('a row of quoted columns, with the line where it begins', async () => {
    const file = path.join(folder, 'row');
    await writeGrowing(file, { content: ['1\ta\n', '2\t"a\nb"\t', '\n'] }, 20 * MB);
    const seen: number[] = [];
    const read = async () => {
      for await (const { line } of quotedRows(file, 'DATA_INVALID')) seen.push(line);
    };
    await assert.rejects(read, /line 2: a row of more than 16777216 characters/);
    assert.deepEqual(seen, [1]);
  });
});

test('what is no file is refused before it is read: pipes, devices, folders', async () => {
  if (process.platform === 'win32') return;
  const pipe = path.join(folder, 'pipe');
  execFileSync('mkfifo', [pipe]);
  const link = path.join(folder, 'link');
  symlinkSync(pipe, link);
  mkdirSync(path.join(folder, 'folder'));
  for (const place of [pipe, link, '/dev/null', '/dev/zero', path.join(folder, 'folder')]) {
    await assert.rejects(readRunFile(place), (error) => {
      assert.ok(error instanceof BenchError && error.code === 'PATH_INVALID', String(error));
      assert.match(error.message, /is not a file/);
      return true;
    });
  }
  writeFileSync(path.join(folder, 'run'), 'q Q0 p 1 1 t\n');
  symlinkSync(path.join(folder, 'run'), path.join(folder, 'good'));
  assert.equal((await readRunFile(path.join(folder, 'good'))).run.size, 1);
});
