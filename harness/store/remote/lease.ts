/**
 * Who is making an artifact, for machines that have nothing in common but a store on a server. Making one twice is harmless, for
 * the first manifest wins; a lease only saves the work. Its holder writes it anew every quarter of a lease; what the server says
 * is older than a lease is taken over by a put that only one can win. Clocks of machines play no part.
 */
import { hostname } from 'node:os';
import { setTimeout as wait } from 'node:timers/promises';
import { BenchError } from '../../errors.js';
import { assertGoesOn, interruption } from '../../interruption.js';
import { parseJson } from '../../json.js';
import { whereOffered } from '../../offered.js';
import { waitingNow } from '../lock.js';
import type { ArtifactName } from '../manifest.js';
import { leaseMs, lifeOf, ownerText, parseOwner, randomPart } from '../owner.js';
import { keepRenewed, letGo } from '../renewal.js';
import type { Bucket, Read } from './bucket.js';
import { shownPlace } from './faults.js';
import { leaseAt } from './layout.js';

/** What stands in a lease. */
interface Said {
  /** Told apart from any other, of this process too. */
  holder: string;
  /** As in a lock, see `ownerText`; empty where it was given back. */
  owner: string;
  host: string;
  leaseMs: number;
  /** How often it was renewed. */
  signs: number;
  /** ISO 8601, UTC, by the holder's clock: for people. */
  since: string;
}

/** The times of the server are whole seconds. */
const secondMs = 1000;
/** Between two looks at a lease of another: most are held for a moment, some for days. */
const shortestPauseMs = 50;
/** A wait this short is not worth a line. */
const quietMs = 400;
const longestPauseMs = () => Math.min(5000, leaseMs() / 4);

export class StoreLease {
  readonly #said: Said;
  /** Of the object as we last wrote it; undefined where it is not ours. */
  #etag: string | undefined;
  /** The sign of life that the server has not answered yet. */
  #sign: Promise<void> | undefined;

  constructor(
    readonly bucket: Bucket,
    readonly artifact: ArtifactName,
  ) {
    this.#said = {
      holder: randomPart() + randomPart(),
      ...{ owner: ownerText(), host: hostname().replace(/[^\w.-]/g, '-'), leaseMs: leaseMs(), signs: 0 },
      since: new Date().toISOString(),
    };
  }

  get name(): string {
    return leaseAt(this.artifact);
  }

  /**
   * Takes it, or waits for whoever has it.
   * @param isMade asked while another has it: whether there is nothing to do any more
   * @returns whether it is ours; false where `isMade` says so
   * @throws BenchError LOCKED where another has it and waiting is not wished for, INTERRUPTED
   */
  async take(isMade: () => Promise<boolean>): Promise<boolean> {
    const begunMs = performance.now();
    let isTold = false;
    for (let pauseMs = shortestPauseMs; ; pauseMs = Math.min(1.5 * pauseMs, longestPauseMs())) {
      const found = await this.bucket.read(this.name);
      const other = found && parseSaid(found.bytes);
      if (await this.#tryToTake(found, other)) {
        // Whoever gave it back may have finished just before. Where nobody can say, it is not held for nothing.
        const isDone = await isMade().catch(async (error: unknown) => {
          await this.giveBack();
          throw error;
        });
        if (!isDone) return true;
        await this.drop();
        return false;
      }
      if (await isMade()) return false;
      const { waits, job } = waitingNow();
      const who = `${whoIs(other)} is making ${this.artifact.kind}/${this.artifact.key} for ${shownPlace(this.bucket)}`;
      if (!waits)
        throw new BenchError('LOCKED', `${who}.`, {
          hint: `Wait for it to end${whereOffered(['no-wait'], ' (bench does, without --no-wait)')}; one that died is taken over after its lease (BENCH_LEASE_SECONDS).`,
        });
      const isQuiet = performance.now() - begunMs < quietMs;
      if (!isTold && !isQuiet)
        job?.note(`${who}: waiting for it to end${whereOffered(['no-wait'], ' (--no-wait does not)')}`);
      isTold ||= !isQuiet;
      await wait(pauseMs, undefined, { signal: interruption }).catch(() => undefined);
      job?.checkInterrupted();
      assertGoesOn();
    }
  }

  async #tryToTake(found: Read | undefined, other: Said | undefined): Promise<boolean> {
    if (found === undefined) this.#etag = await this.bucket.create(this.name, this.#bytes());
    // The answer to a put may have been lost.
    else if (other?.holder === this.#said.holder) this.#etag = found.etag;
    else if (isLeft(found, other))
      this.#etag = await this.bucket.replace(this.name, this.#bytes(), found.etag);
    if (this.#etag === undefined) return false;
    keepRenewed(this.bucket.shown(this.name), () => this.#renew());
    return true;
  }

  #bytes(changes: Partial<Said> = {}): Buffer {
    return Buffer.from(`${JSON.stringify({ ...this.#said, ...changes })}\n`);
  }

  /** One sign at a time: a server that was away for long is not to be given all that fell due meanwhile. */
  #renew(): Promise<void> {
    this.#sign ??= this.#signOfLife()
      // A server that is away for a while is asked again at the next sign.
      .catch(() => undefined)
      .finally(() => {
        this.#sign = undefined;
      });
    return this.#sign;
  }

  async #signOfLife(): Promise<void> {
    if (this.#etag === undefined) return;
    this.#said.signs++;
    const etag = await this.bucket.replace(this.name, this.#bytes(), this.#etag, true);
    if (etag !== undefined) this.#etag = etag;
    else {
      const found = await this.bucket.read(this.name);
      const isOurs = found !== undefined && parseSaid(found.bytes)?.holder === this.#said.holder;
      // Taken over: whoever is first wins, and what we make is compared with it.
      this.#etag = isOurs ? found.etag : undefined;
    }
  }

  /** The artifact is in the store: nobody needs its lease. */
  async drop(): Promise<void> {
    await this.#end();
    await this.bucket.remove(this.name).catch(() => undefined);
  }

  /** It was not made: another may take it at once. */
  async giveBack(): Promise<void> {
    await this.#end();
    if (this.#etag === undefined) return;
    // Where the server does not answer it runs out by itself.
    await this.bucket.replace(this.name, this.#bytes({ owner: '' }), this.#etag, true).catch(() => undefined);
    this.#etag = undefined;
  }

  async #end(): Promise<void> {
    letGo(this.bucket.shown(this.name));
    await this.#sign;
  }
}

function isLeft({ ageMs }: Read, other: Said | undefined): boolean {
  // What nobody can read is nobody's.
  if (other === undefined || other.owner === '') return true;
  const owner = parseOwner(other.owner);
  if (owner !== undefined && lifeOf(owner) === 'gone') return true;
  return ageMs !== undefined && ageMs > other.leaseMs + secondMs;
}

function whoIs(other: Said | undefined): string {
  const pid = other && parseOwner(other.owner)?.pid;
  return pid === undefined ? 'Another process' : `Process ${pid} on ${other!.host}, since ${other!.since},`;
}

/** @returns undefined for what is no lease */
export function parseSaid(bytes: Buffer): Said | undefined {
  let found: Partial<Record<keyof Said, unknown>> | null;
  try {
    found = parseJson(bytes.toString('utf8')) as typeof found;
  } catch {
    return undefined;
  }
  const { holder, owner, host, since, signs, leaseMs: ms } = found ?? {};
  const isWhole =
    [holder, owner, host, since].every(
      (text) => typeof text === 'string' && /^[\w:. -]{0,300}$/.test(text),
    ) && [signs, ms].every((count) => Number.isSafeInteger(count) && (count as number) >= 0);
  return isWhole ? (found as Said) : undefined;
}
