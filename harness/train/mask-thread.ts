/** The thread that draws dropout masks. Started by mask-threads.ts. */
import { parentPort } from 'node:worker_threads';
import { type MaskDraw, packedMasks } from './dropout-masks.js';

parentPort?.on('message', (draw: MaskDraw) => {
  const masks = packedMasks(draw);
  parentPort?.postMessage(
    masks,
    masks.map(({ buffer }) => buffer as ArrayBuffer),
  );
});
