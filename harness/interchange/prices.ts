/** Tables of prices: a JSON object in a file. */
import { readFile } from 'node:fs/promises';
import type { Prices } from '../contracts.js';
import { BenchError, unreadable } from '../errors.js';
import { parseJson } from '../json.js';
import { faultFinder } from '../json-schema.js';
import { assertPlain } from '../store/plain-file.js';

const amount = { type: 'number', minimum: 0, maximum: 1e15 };

const faultsOf = faultFinder(() => ({
  type: 'object',
  additionalProperties: false,
  required: ['currency', 'gbMonth', 'vcpuHour'],
  properties: {
    currency: { type: 'string', pattern: '^[^\\s\\p{Cc}]{1,12}$' },
    gbMonth: amount,
    vcpuHour: amount,
    queriesPerMonth: amount,
  },
}));

/** A table of prices is a few lines. */
const mostBytes = 65_536;

/** @throws BenchError PATH_INVALID; DATA_INVALID that lists every fault: keys that are missing or unknown, values */
export async function readPrices(file: string): Promise<Prices> {
  const hint =
    'Such a file is: {"currency": "USD", "gbMonth": 0.1, "vcpuHour": 0.04}, with "queriesPerMonth" where it is known.';
  assertPlain(file);
  const bytes = await readFile(file).catch((cause: unknown) => {
    throw unreadable(file, cause, 'Name the file that holds the prices.');
  });
  if (bytes.length > mostBytes) {
    throw new BenchError(
      'DATA_INVALID',
      `${file} has ${bytes.length} bytes, too many for a table of prices.`,
      {
        hint,
      },
    );
  }
  let value: unknown;
  try {
    value = parseJson(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new BenchError('DATA_INVALID', `${file} is not JSON: ${(cause as Error).message}.`, {
      hint,
      cause,
    });
  }
  const faults = faultsOf(value);
  if (faults.length === 0) return value as Prices;
  throw new BenchError('DATA_INVALID', `${file} is no table of prices:\n  ${faults.join('\n  ')}`, { hint });
}
