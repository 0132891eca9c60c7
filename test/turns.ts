/** Whether the event loop has had its turn, as where garbage was collected. For tests. */

/** @returns says whether it had it since this was called */
export function turnsOf(): () => boolean {
  let hasTurned = false;
  setImmediate(() => {
    hasTurned = true;
  });
  return () => hasTurned;
}
