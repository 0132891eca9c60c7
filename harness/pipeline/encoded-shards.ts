/** The vectors of every passage, whether they are encoded at once or in parts. */
import type { VectorStages } from '../stages/systems.js';
import type { Workbench } from '../stages/workbench.js';
import type { Artifact } from '../store/store.js';

/** The shards of every passage, and a line of the record for each part that is encoded by itself. */
export async function encodedShards(
  bench: Workbench,
  { encoding, parts }: Pick<VectorStages, 'encoding' | 'parts'>,
): Promise<Artifact<unknown>> {
  for (const part of parts) await bench.logged(part, part.name);
  return bench.logged(encoding, encoding.name);
}
