/** What is wrong with a parquet file; whoever opened it says which file it is. */
export class ParquetFault extends Error {
  /** @param hint what to do, where it is not to fetch the file again */
  constructor(
    message: string,
    cause?: unknown,
    readonly hint?: string,
  ) {
    super(message, { cause });
    this.name = 'ParquetFault';
  }
}
