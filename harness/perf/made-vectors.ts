/** Made vectors that lie in clusters, as those of texts do, and an index of them. */
import { IdentifierWriter } from '../index/identifiers.js';
import { IndexShardWriter } from '../index/shard-files.js';
import { finishIndex, identifiersPath } from '../index/vector-index.js';
import { stream } from '../random.js';

const clusters = 1000;
/** Of a vector around its centre, whose own numbers have deviation 1. */
const spread = 1.2;

/** A mixture of Gaussians around the same centres whatever the purpose, at length 1: [count, D]. */
export function clusteredVectors(count: number, dimensions: number, purpose: string): Float32Array {
  const around = stream(1, 'made vectors', 'centres');
  const centres = Float32Array.from({ length: clusters * dimensions }, () => around.normal());
  const random = stream(1, 'made vectors', purpose);
  const values = new Float32Array(count * dimensions);
  for (let i = 0; i < count; i++) {
    const centre = random.integer(clusters) * dimensions;
    let square = 0;
    for (let d = 0; d < dimensions; d++) {
      const value = centres[centre + d]! + spread * random.normal();
      values[i * dimensions + d] = value;
      square += value * value;
    }
    const length = Math.sqrt(square);
    for (let d = 0; d < dimensions; d++) values[i * dimensions + d]! /= length;
  }
  return values;
}

/** Many such vectors in little time: those of a twentieth, each turned by some places. @returns [count, D] */
export function turnedVectors(count: number, dimensions: number): Float32Array {
  const made = Math.ceil(count / 20);
  const few = clusteredVectors(made, dimensions, 'rows');
  const values = new Float32Array(count * dimensions);
  for (let i = 0; i < count; i++) {
    const turned = 7 * Math.floor(i / made);
    const from = (i % made) * dimensions;
    values.set(few.subarray(from + turned, from + dimensions), i * dimensions);
    values.set(few.subarray(from, from + turned), i * dimensions + dimensions - turned);
  }
  return values;
}

/** Writes an index of one shard and one vector per passage. @param values [N, D] */
export async function writeVectors(folder: string, values: Float32Array, dimensions: number): Promise<void> {
  const writer = await IndexShardWriter.create(folder, {
    number: 0,
    firstPassage: 0,
    dimensions,
    vectorsPerPassage: 1,
  });
  await writer.append(values);
  await writer.commit();
  const identifiers = new IdentifierWriter(identifiersPath(folder));
  for (let i = 0; i < values.length / dimensions; i++) identifiers.append(String(i));
  await identifiers.commit();
  await finishIndex(folder, 1);
}
