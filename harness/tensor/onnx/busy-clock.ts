/** The time during which at least one program runs. */
export class BusyClock {
  busyMs = 0;
  #running = 0;
  #since = 0;

  start(): void {
    if (this.#running++ === 0) this.#since = performance.now();
  }
  stop(): void {
    if (--this.#running === 0) this.busyMs += performance.now() - this.#since;
  }
}
