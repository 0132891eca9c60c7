/** Packages that may be missing, native ones among them: loaded when they are needed, and refused in one form. */
import { BenchError } from '../errors.js';

export interface Refused {
  /** What is said where it is not installed; as of any other reason where absent. */
  missing?: string;
  /** What is said before the reason why it does not load. */
  broken: string;
  hint: string;
}

/**
 * @param load by `import` or `require`, whose specifier is a variable where the compiler must not look for the package
 * @throws BenchError UNAVAILABLE
 */
export async function loadPackage<T>(
  load: () => T | Promise<T>,
  { missing, broken, hint }: Refused,
): Promise<T> {
  try {
    return await load();
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const isMissing = code === 'MODULE_NOT_FOUND' || code === 'ERR_MODULE_NOT_FOUND';
    const reason = cause instanceof Error ? cause.message.split('\n')[0] : String(cause);
    throw new BenchError('UNAVAILABLE', (isMissing && missing) || `${broken}: ${reason}`, { hint, cause });
  }
}

/** The same of a package of the registry that `npm ci` leaves out. @param what needs it: `queues need` */
export const loadAdded = <T>(name: string, what: string, add: string, load: () => Promise<T>): Promise<T> =>
  loadPackage(load, {
    missing: `The package ${name}, which ${what}, is not installed.`,
    broken: `The package ${name}, which ${what}, does not load`,
    hint: `npm install ${add}`,
  });
