/** What is wrong with a parquet file; whoever opened it says which file it is. */
export class ParquetFault extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'ParquetFault';
  }
}
