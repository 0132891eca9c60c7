/** A thread that is asked, and answers one question after another. It keeps nobody waiting at the end of the program but while it is asked. */
import { Worker } from 'node:worker_threads';

export class AskedThread<Question, Answer> {
  readonly #worker: Worker;
  /** Who waits for answers, in the order in which they come. */
  readonly #waiting: { resolve: (answer: Answer) => void; reject: (error: Error) => void }[] = [];
  /** Why it answers no more. */
  #end: Error | undefined;

  /**
   * @param file of its module, which answers by `parentPort`
   * @param what shown in errors: 'a thread of the search'
   * @param data its `workerData`
   */
  constructor(file: URL, what: string, data?: unknown) {
    this.#worker = new Worker(file, { workerData: data });
    this.#worker.unref();
    this.#worker.on('message', (message: Answer) => this.#settle()?.resolve(message));
    const ended = (error: Error) => {
      this.#end ??= error;
      for (let next = this.#settle(); next !== undefined; next = this.#settle()) next.reject(this.#end);
    };
    this.#worker.on('error', ended);
    this.#worker.on('exit', (code) => ended(new Error(`${what} ended with ${code}`)));
  }

  /** @returns the answer; whoever waits for it later than it may fail gives it a `catch` */
  async ask(question: Question): Promise<Answer> {
    if (this.#end === undefined) this.#worker.postMessage(question);
    return this.next();
  }

  /** What it says next, without a question. */
  async next(): Promise<Answer> {
    if (this.#end !== undefined) throw this.#end;
    this.#worker.ref();
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  #settle() {
    const next = this.#waiting.shift();
    if (this.#waiting.length === 0) this.#worker.unref();
    return next;
  }

  async end(): Promise<void> {
    await this.#worker.terminate();
  }
}
