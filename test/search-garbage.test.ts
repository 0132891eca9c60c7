/** What a native library frees as its objects are collected is freed when that is asked for. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { collectGarbage } from '../harness/search/garbage.js';
import { turnsOf } from './turns.js';

test('what nobody holds is collected, each time, and the loop has had its turn', async () => {
  for (let time = 0; time < 2; time++) {
    const kept = { numbers: new Float64Array(1000) };
    const references = [kept, { numbers: new Float64Array(1000) }].map((each) => new WeakRef(each));
    // What a reference was made of is held until then.
    await turn();
    const hasTurned = turnsOf();
    await collectGarbage();
    assert.ok(hasTurned());
    assert.deepEqual(
      references.map((each) => each.deref()),
      [kept, undefined],
    );
  }
});
