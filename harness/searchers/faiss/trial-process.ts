/**
 * The process in which files that a user brings are read and searched by FAISS for the first time: bytes that are not as FAISS
 * writes them may end it. Started by trial.ts with a `TrialOrder` as its argument; tells what came of it by a message.
 */
import { parseJson } from '../../json.js';
import { faissReason, loadFaiss } from './flat.js';

export interface TrialOrder {
  /** Files of IndexFlatIP. */
  files: readonly string[];
}

export type TrialMessage =
  /** The files before this one are sound. */
  { state: 'reading'; file: string } | { state: 'refused'; file: string; what: string } | { state: 'sound' };

const say = (message: TrialMessage) => process.send?.(message);

async function tryAll({ files }: TrialOrder): Promise<TrialMessage> {
  const { IndexFlatIP } = await loadFaiss();
  for (const file of files) {
    say({ state: 'reading', file });
    try {
      const index = IndexFlatIP.read(file);
      if (index.ntotal() === 0) continue;
      const ones = new Array<number>(index.getDimension()).fill(1);
      const { distances } = index.search(ones, Math.min(10, index.ntotal()));
      if (!distances.every((score) => Number.isFinite(score)))
        return {
          state: 'refused',
          file,
          what: `gives the score ${distances.find((s) => !Number.isFinite(s))}`,
        };
    } catch (error) {
      return { state: 'refused', file, what: `cannot be read by FAISS: ${faissReason(error)}` };
    }
  }
  return { state: 'sound' };
}

// Nobody is left to try them for.
process.on('disconnect', () => process.exit(1));
const order = process.argv[2];
if (order !== undefined) say(await tryAll(parseJson(order) as TrialOrder));
process.disconnect?.();
