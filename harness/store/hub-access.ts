/** The Hugging Face hub, or a mirror of it, over the network: what a repository holds, and its small files. */
import { BenchError } from '../errors.js';
import { assertGoesOn, interruption } from '../interruption.js';
import { waited } from './download.js';
import {
  type HubName,
  isCommit,
  isPathWithin,
  newest,
  type RepositoryKind,
  writtenName,
} from './hub-names.js';
import { longestRetryAfterMs, mayPass, retryAfterMs } from './transfer-error.js';

/** A file as the hub lists it. */
export interface RepositoryFile {
  path: string;
  size: number;
  /** The sha1 of git's blob. */
  oid?: string;
  /** A file kept outside of git, with its sha256. */
  lfs?: { oid: string };
}

export interface Listing {
  /** As the hub calls it, which may be another name than the one asked for. */
  repository: string;
  revision: string;
  files: readonly RepositoryFile[];
}

/** Which hub, and what opens it. */
export interface HubAccess {
  hubUrl: string;
  token: string | undefined;
}

/** @param hubUrl HF_ENDPOINT of the environment where absent, else the public hub; HF_TOKEN opens what asks for it */
export function hubAccess(hubUrl?: string): HubAccess {
  const address = hubUrl ?? (process.env.HF_ENDPOINT || 'https://huggingface.co');
  return { hubUrl: address.replace(/\/+$/, ''), token: process.env.HF_TOKEN || undefined };
}

/** Whether the environment forbids the network, as it does for the tools of Hugging Face. */
export const isHubOffline = (): boolean => /^(1|true|yes|on)$/i.test(process.env.HF_HUB_OFFLINE ?? '');

/** Where the bytes of a file are. */
export function fileUrl(
  kind: RepositoryKind,
  { repository, revision }: Listing,
  { hubUrl }: HubAccess,
  file: string,
) {
  const name = file.split('/').map(encodeURIComponent).join('/');
  return `${hubUrl}/${kind === 'dataset' ? 'datasets/' : ''}${repository}/resolve/${revision}/${name}`;
}

const credentials = ({ hubUrl, token }: HubAccess) => ({
  hubUrl,
  fetch: patientFetch,
  ...(token === undefined ? {} : { accessToken: token }),
});

/**
 * Asks the hub for the commit of a revision, and for the files of that commit.
 * @throws BenchError UNKNOWN_NAME, DOWNLOAD_FAILED
 */
export function listRepository(kind: RepositoryKind, name: HubName, access: HubAccess): Promise<Listing> {
  return hubErrors(kind, name, access, async () => {
    const { datasetInfo, listFiles, modelInfo } = await import('@huggingface/hub');
    const asked = {
      name: name.repository,
      ...(name.revision !== undefined && { revision: name.revision }),
      additionalFields: ['sha' as const],
      ...credentials(access),
    };
    const { name: repository, sha: revision } =
      kind === 'model' ? await modelInfo(asked) : await datasetInfo(asked);
    if (!isCommit(revision)) throw new TypeError(`it names the commit ${revision}`);
    const files: RepositoryFile[] = [];
    const repo = { type: kind, name: repository } as const;
    for await (const file of listFiles({ repo, revision, recursive: true, ...credentials(access) })) {
      if (file.type !== 'file') continue;
      if (!isPathWithin(file.path)) throw new TypeError(`it lists the file ${JSON.stringify(file.path)}`);
      const { path, size, oid, lfs } = file;
      files.push({ path, size, ...(oid !== undefined && { oid }), ...(lfs && { lfs: { oid: lfs.oid } }) });
    }
    return { repository, revision, files };
  });
}

/** The bytes of a file that git itself holds, so that it is small. */
export function smallFile(
  kind: RepositoryKind,
  listing: Listing,
  access: HubAccess,
  file: string,
): Promise<Uint8Array> {
  const { repository, revision } = listing;
  return hubErrors(kind, { repository }, access, async () => {
    const { downloadFile } = await import('@huggingface/hub');
    const repo = { type: kind, name: repository } as const;
    const blob = await downloadFile({ repo, path: file, revision, ...credentials(access) });
    if (blob === null) throw new TypeError(`${file} is listed but is not there`);
    return new Uint8Array(await blob.arrayBuffer());
  });
}

const attempts = 4;

/** Asks again where the hub is busy, after as long as it says. */
const patientFetch: typeof fetch = async (input, init) => {
  for (let attempt = 1; ; attempt++) {
    assertGoesOn();
    const signals = [interruption, ...(init?.signal ? [init.signal] : [])];
    const response = await fetch(input, { ...init, signal: AbortSignal.any(signals) });
    if (!mayPass(response.status) || attempt === attempts) return response;
    const asked = retryAfterMs(response.headers);
    await response.body?.cancel();
    if (asked !== undefined && asked > longestRetryAfterMs) {
      const seconds = Math.ceil(asked / 1000);
      throw new Error(`it answered ${response.status} and asks to be left alone for ${seconds} seconds`);
    }
    await waited(Math.max(asked ?? 0, 250 * 2 ** attempt));
  }
};

/** Says in our words why the hub gave no answer. */
async function hubErrors<T>(
  kind: RepositoryKind,
  name: HubName,
  { hubUrl, token }: HubAccess,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    assertGoesOn();
    if (cause instanceof BenchError) throw cause;
    const { statusCode, message } = cause as { statusCode?: number; message: string };
    const what = writtenName(name);
    // Without a token the hub answers 401 for what does not exist.
    if (statusCode === 404 || (statusCode === 401 && token === undefined)) {
      const folder = kind === 'model' ? `There is no folder '${what}', and no` : 'There is no';
      const example = kind === 'model' ? 'google-bert/bert-base-uncased' : 'BeIR/scifact';
      const revision =
        name.revision === undefined || name.revision === newest ? '' : ', or no such revision of it,';
      throw new BenchError('UNKNOWN_NAME', `${folder} public ${kind} '${what}'${revision} at ${hubUrl}.`, {
        hint: `Hub names look like ${example}, or ${example}@REVISION. Where a ${kind} is private or asks for consent, set HF_TOKEN.`,
        cause,
      });
    }
    if (statusCode === 401 || statusCode === 403) {
      throw new BenchError(
        'DOWNLOAD_FAILED',
        `${hubUrl} refuses access to the ${kind} ${what} (status ${statusCode}).`,
        { hint: 'Agree to its terms on its page, and set HF_TOKEN to a token that may read it.', cause },
      );
    }
    const why = ((cause as Error).cause as Error | undefined)?.message || message;
    const reason = statusCode === undefined ? why : `status ${statusCode}, ${why}`;
    const other = kind === 'model' ? 'give the folder of a copy with --model DIR; ' : '';
    throw new BenchError(
      'DOWNLOAD_FAILED',
      `The ${kind} ${what} could not be had from ${hubUrl}: ${reason}.`,
      {
        hint: `Where there is no network, ${other}HF_HOME names the cache of Hugging Face's tools, which is read first; HF_ENDPOINT names another address of the hub.`,
        cause,
      },
    );
  }
}
