/** Writes the codes of an index's rows. */
import { BenchError } from '../../errors.js';
import { openIndex, type VectorIndex } from '../../index/vector-index.js';
import { rowBlocks } from '../../search/ordered-build.js';
import type { BuildRequest, BuiltFacts } from '../../search/searcher.js';
import { AtomicFile } from '../../store/atomic.js';
import { type CodeFacts, type Coding, headerBytes, widthOf, writeHeader } from './code-file.js';
import { codingOf, kindOf, parameterOf } from './kinds.js';
import { codeRow, lengthOf, signRow } from './row-codes.js';

/** A row has length 1 where it is no further from it than float32 and float16 numbers leave it. */
const unitTolerance = 1e-3;

/**
 * Builds the index and puts it in place, whole.
 * @throws BenchError CONFIG_INVALID for a row that is not finite, INTERRUPTED, NOT_WRITABLE, DISK_FULL
 */
export async function buildIndex(request: BuildRequest): Promise<BuiltFacts> {
  const { folder, target, progress } = request;
  const kind = kindOf(request.kind);
  const stage = progress.stage(`index ${kind}`, request.vectors, 'vectors');
  const index = await openIndex(folder);
  try {
    const file = await AtomicFile.create(target);
    try {
      const written = await writeCodes(file, index, codingOf(kind), (rows) => {
        stage.update(rows);
        progress.checkInterrupted();
      });
      await writeHeader(file, written);
    } catch (error) {
      await file.abort();
      throw error;
    }
    const { sizeBytes } = file;
    await file.commit();
    stage.end();
    return { trainedOn: 0, sizeBytes, parameter: parameterOf(kind, index.dimensions), warnings: [] };
  } finally {
    await index.close();
  }
}

async function writeCodes(
  file: AtomicFile,
  index: VectorIndex,
  coding: Coding,
  onRows: (rows: number) => void,
): Promise<CodeFacts> {
  const { dimensions, vectors } = index;
  const width = widthOf(coding, dimensions);
  const scales = new Float32Array(coding === 'none' ? 0 : vectors);
  const errors = new Float32Array(coding === 'int8' ? vectors : 0);
  let unit = true;
  await file.write(Buffer.alloc(headerBytes));
  for await (const { first, count, values } of rowBlocks(index)) {
    const codes = new Uint8Array(count * width);
    for (let i = 0; i < count; i++) {
      const row = values.subarray(i * dimensions, (i + 1) * dimensions);
      const length = lengthOf(row);
      if (!Number.isFinite(length)) throw notFinite(first + i, row);
      unit &&= Math.abs(length - 1) <= unitTolerance;
      if (coding === 'binary') {
        signRow(row, codes.subarray(i * width, (i + 1) * width));
        scales[first + i] = length;
      } else if (coding === 'int8') {
        const coded = codeRow(row, new Int8Array(codes.buffer, i * width, width));
        scales[first + i] = coded.scale;
        errors[first + i] = coded.error;
      }
    }
    await file.write(codes);
    onRows(first + count);
  }
  await file.write(new Uint8Array(scales.buffer));
  await file.write(new Uint8Array(errors.buffer));
  return { coding, dimensions, unit, rows: vectors };
}

function notFinite(number: number, row: Float32Array): BenchError {
  const value = row.find((each) => !Number.isFinite(each));
  return new BenchError('CONFIG_INVALID', `Row ${number} of the index holds ${value}, which has no code.`, {
    hint: 'Encode the passages anew with a model whose vectors are finite.',
  });
}
