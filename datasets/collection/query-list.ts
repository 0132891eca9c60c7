/** The queries of a file, as they are read: each id once. */
import type { Query } from '../../harness/contracts.js';
import { BenchError } from '../../harness/errors.js';
import { assertQueryId } from '../../harness/interchange/identifiers.js';

export class QueryList {
  readonly byId = new Map<string, Query>();
  readonly #places = new Map<string, { file: string; where: string }>();

  /**
   * @param where in the file: `line 7`
   * @param what names the id there
   * @throws BenchError DATA_INVALID for an id that no run file can hold, and where one comes twice, naming both places
   */
  add(query: Query, file: string, where: string, what: string): void {
    const { queryId } = query;
    assertQueryId(queryId, () => `${file}, ${where}: ${what}`);
    const earlier = this.#places.get(queryId);
    if (earlier !== undefined) {
      const second = earlier.file === file ? where : `${file}, ${where}`;
      throw new BenchError(
        'DATA_INVALID',
        `Two queries have the id '${queryId}': ${earlier.file}, ${earlier.where} and ${second}.`,
        { hint: 'Every query needs an id of its own: remove one of them, or rename it.' },
      );
    }
    this.#places.set(queryId, { file, where });
    this.byId.set(queryId, query);
  }
}
