/** What the SDK and the server say, as errors that say what to do. No message of theirs is passed on: it may hold a key's name. */
import { BenchError } from '../../errors.js';
import { assertGoesOn } from '../../interruption.js';

/** What an error of the SDK says of itself, as far as it is used. */
interface Said {
  name: string;
  /** Of a socket, or of the server's answer. */
  code: string | undefined;
  /** Of HTTP; undefined where no answer came. */
  status: number | undefined;
  region: string | undefined;
}

export function said(error: unknown): Said {
  const { name, code, Region, $metadata } = (error ?? {}) as {
    name?: unknown;
    code?: unknown;
    Region?: unknown;
    $metadata?: { httpStatusCode?: unknown };
  };
  const status = $metadata?.httpStatusCode;
  return {
    name: word(name) ?? 'unknown',
    code: word(code),
    status: typeof status === 'number' ? status : undefined,
    region: word(Region),
  };
}

/** What can be nothing but a name. */
const word = (value: unknown): string | undefined =>
  typeof value === 'string' && /^[\w.:-]{1,60}$/.test(value) ? value : undefined;

/** A condition of a request did not hold. */
export const isRefusedCondition = (error: unknown): boolean => said(error).status === 412;

/** Another was writing the same at this moment: asking again gives an answer. */
export const isConflict = (error: unknown): boolean => said(error).status === 409;

/** The connection was cut when the answer had begun; of a request that failed the SDK says how often it tried. */
export const isBrokenAnswer = (error: unknown): boolean =>
  said(error).code !== undefined &&
  (error as { $metadata?: unknown }).$metadata === undefined &&
  !isOfFile(error);

/** Of a file of ours. */
const isOfFile = (error: unknown): boolean =>
  typeof (error as NodeJS.ErrnoException | undefined)?.path === 'string';

export const isAbsent = (error: unknown): boolean => {
  const { status, name } = said(error);
  return status === 404 && name !== 'NoSuchBucket' && name !== 'NoSuchUpload';
};

/** Where the store is, for a sentence: its address, and the server where that is not Amazon's. */
export interface Place {
  readonly text: string;
  readonly endpoint: string | undefined;
}

export const shownPlace = ({ text, endpoint }: Place): string =>
  endpoint === undefined ? text : `${text} at ${endpoint}`;

const keysHint =
  'They come from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, from AWS_PROFILE and ~/.aws, or from the machine itself (the default chain of the AWS SDK).';

/**
 * @throws BenchError INTERRUPTED where the job was stopped
 * @returns ours; what is none of the server's or of the network's as it is
 */
export function storeFault(error: unknown, place: Place): unknown {
  if (error instanceof BenchError || error instanceof RangeError || isOfFile(error)) return error;
  assertGoesOn();
  const { name, code, status, region } = said(error);
  const at = shownPlace(place);
  const unavailable = (message: string, hint: string) => new BenchError('UNAVAILABLE', message, { hint });
  if (/^CredentialsProvider|^TokenProvider|^ProviderError/.test(name))
    return unavailable(`There are no keys for ${at}.`, keysHint);
  if (error instanceof Error && /^region is missing/i.test(error.message))
    return unavailable(`It is not said which region ${at} is in.`, 'Set AWS_REGION, or AWS_ENDPOINT_URL.');
  if (name === 'NoSuchBucket')
    return unavailable(`There is no bucket for ${at}.`, 'Make it, or correct --store and AWS_ENDPOINT_URL.');
  if (isOfRegion(name, status)) {
    const which = region === undefined ? '' : `: it is in ${region}`;
    return unavailable(
      `The bucket of ${at} is in another region${which} (${name}).`,
      `Set AWS_REGION${region === undefined ? '' : `=${region}`}.`,
    );
  }
  if (name === 'RequestTimeTooSkewed')
    return unavailable(`The server of ${at} says that this machine's clock is wrong.`, 'Set the clock.');
  if (status === 401 || status === 403 || /^(Expired|Invalid)Token$/.test(name))
    return unavailable(
      `The server of ${at} refuses these keys, or what is asked with them (${name}).`,
      `${keysHint} They need s3:ListBucket on the bucket, and s3:GetObject, s3:PutObject, s3:DeleteObject and s3:AbortMultipartUpload on what is in it.`,
    );
  if (status === 501) return withoutConditions(place, `puts with conditions (501 ${name})`);
  if (status !== undefined)
    return unavailable(
      `The server of ${at} answered ${status} ${name}.`,
      status >= 500 || status === 429
        ? 'It was asked several times. What was made is in the cache; the same command goes on from there.'
        : 'Is it a server that speaks S3? bench doctor --store tries what is needed.',
    );
  if (code !== undefined || /Timeout|Abort|Network/.test(name))
    return unavailable(
      `The store ${at} cannot be reached, or the connection was cut (${code ?? name}).`,
      'Is the server running, and can this machine reach it? What was made is in the cache; the same command goes on from there.',
    );
  return error;
}

/** @param what it does not do */
export function withoutConditions(place: Place, what: string): BenchError {
  return new BenchError('UNAVAILABLE', `The server of ${shownPlace(place)} does not honour ${what}.`, {
    hint: 'Two machines would write over each other. Amazon S3, MinIO and versitygw honour conditions; so does a folder that machines share, given with --cache.',
  });
}

const isOfRegion = (name: string, status: number | undefined): boolean =>
  status === 301 || /^(PermanentRedirect|AuthorizationHeaderMalformed|IllegalLocationConstraint)/.test(name);
