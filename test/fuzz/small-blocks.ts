/**
 * Files come in blocks of 4 KiB in a child, not of a MiB: what reaches over the end of a block is met in inputs of a few KiB, and
 * the memory of a block is not taken anew for each of a million inputs. Imported before the program.
 */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

const blockBytes = 1 << 12;
const { createReadStream } = fs;
type ReadOptions = Exclude<Parameters<typeof createReadStream>[1], string | undefined>;

fs.createReadStream = (file, options) =>
  createReadStream(file, { ...(options as ReadOptions), highWaterMark: blockBytes });
syncBuiltinESMExports();
