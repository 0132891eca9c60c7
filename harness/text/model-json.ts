/** The small files that lie beside a model's weights. */
import { BenchError } from '../errors.js';
import { parseJson } from '../json.js';
import { readPlainText } from '../store/plain-file.js';

/**
 * The text of a file of a model; undefined where there is none.
 * @throws BenchError CHECKPOINT_INVALID where it cannot be read; PATH_INVALID where it is a pipe, a device or a folder
 */
export async function modelText(file: string): Promise<string | undefined> {
  try {
    return await readPlainText(file);
  } catch (cause) {
    if (cause instanceof BenchError) throw cause;
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw new BenchError('CHECKPOINT_INVALID', `${file} cannot be read: ${message}`, { cause });
  }
}

/** The value of a file of JSON, as `modelText` reads it. @throws also BenchError CHECKPOINT_INVALID where it is not JSON */
export async function modelJson(file: string): Promise<unknown> {
  const text = await modelText(file);
  if (text === undefined) return undefined;
  try {
    return parseJson(text);
  } catch (cause) {
    throw new BenchError('CHECKPOINT_INVALID', `${file} is not JSON: ${(cause as Error).message}`, {
      hint: 'Copy or download it again.',
      cause,
    });
  }
}

/** The object of a file of JSON, as `modelJson` reads it. @throws also BenchError CHECKPOINT_INVALID for another value */
export async function modelObject(file: string): Promise<Readonly<Record<string, unknown>> | undefined> {
  const value = await modelJson(file);
  if (value === undefined || (typeof value === 'object' && value !== null && !Array.isArray(value)))
    return value as Readonly<Record<string, unknown>> | undefined;
  throw new BenchError('CHECKPOINT_INVALID', `${file} does not hold a JSON object.`);
}
