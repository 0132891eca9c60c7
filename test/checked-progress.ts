/** A progress that tells nothing, and fails where a stage counts wrongly: everything that is made or timed with it is held to that. */
import assert from 'node:assert/strict';
import { type Progress, silentProgress } from '../harness/progress.js';

/** Of a stage whose total is known: what is done only grows, from more than nothing up to the total, where it ends. */
export function checkedProgress(signal?: AbortSignal): Progress {
  return {
    ...silentProgress(signal),
    stage(name, total) {
      let before = 0;
      let isTold = false;
      return {
        update(done) {
          const least = isTold ? before : Math.min(1, total ?? 0);
          assert.ok(done >= least && done <= (total ?? done), `${name}: ${before}, ${done} of ${total}`);
          before = done;
          isTold = true;
        },
        end() {
          if (isTold && total !== undefined) assert.equal(before, total, name);
        },
      };
    },
  };
}
