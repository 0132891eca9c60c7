/** What stands at the end of a parquet file: its columns, and where their pages lie. */
import type { FileHandle } from 'node:fs/promises';
import type { FileMetaData } from 'hyparquet';
import { readInto } from '../../store/plain-file.js';
import { ParquetFault } from './fault.js';
import { thriftEnd } from './thrift.js';

/** The largest footer: that of 100,000 row groups of three columns has some 40 MiB. */
const largestFooter = 1 << 26;
export const magic = 'PAR1';

export interface Footer {
  metadata: FileMetaData;
  /** Where the footer begins, so that pages end before it. */
  dataEnd: number;
}

/** @throws ParquetFault where there is none that can be read */
export async function readFooter(handle: FileHandle): Promise<Footer> {
  const { size } = await handle.stat();
  if (size < 12) throw new ParquetFault(`it has ${size} bytes, too few for a footer`);
  const head = Buffer.from(await readAt(handle, 0, 4)).toString('latin1');
  const tail = await readAt(handle, size - 8, 8);
  const foot = Buffer.from(tail).toString('latin1', 4);
  if (foot === 'PARE' || head === 'PARE') throw new ParquetFault('it is encrypted');
  if (head !== magic) throw new ParquetFault(`it begins with ${JSON.stringify(head)}, not with ${magic}`);
  if (foot !== magic) throw new ParquetFault(`it does not end with ${magic}: it is cut off`);
  const length = new DataView(tail.buffer).getUint32(0, true);
  const dataEnd = size - 8 - length;
  if (dataEnd < 4 || length > largestFooter)
    throw new ParquetFault(`it says that its footer has ${length} bytes, and it has ${size}`);
  const bytes = await readAt(handle, dataEnd, length + 8);
  const end = thriftEnd(bytes.subarray(0, length), 0);
  if (end === undefined) throw new ParquetFault('its footer ends in the middle');
  const { parquetMetadata } = await import('hyparquet');
  return { metadata: parquetMetadata(bytes.buffer as ArrayBuffer, { geoparquet: false }), dataEnd };
}

/** @throws ParquetFault where the file and its row groups say different things */
export function countRows({ num_rows: stated, row_groups: groups }: FileMetaData): number {
  let rows = 0;
  for (const { num_rows: own } of groups) {
    if (Number(own) < 0) throw new ParquetFault(`a row group has ${own} rows`);
    rows += Number(own);
  }
  if (rows !== Number(stated) || !Number.isSafeInteger(rows))
    throw new ParquetFault(`it says that it has ${stated} rows, and its row groups have ${rows}`);
  return rows;
}

/** Bytes with a buffer of their own. @throws ParquetFault where the file ends before */
export async function readAt(handle: FileHandle, position: number, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  const read = await readInto(handle, bytes, position);
  if (read < length) throw new ParquetFault(`it ends at byte ${position + read}: it is cut off`);
  return bytes;
}
