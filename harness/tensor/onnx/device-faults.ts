/** What a device says where it is lost or has no more memory, told from other faults by ONNX Runtime's words, and what to do then. */
import { BenchError } from '../../errors.js';
import type { DeviceName } from '../engine.js';

/** Of Dawn and ONNX Runtime. What was computed comes back from a device, so its loss is noticed as the results are fetched. */
const lost =
  /\bdevice (is |was |has been )?lost\b|DeviceLost|DEVICE_LOST|Failed to download data from buffer|Instance (was )?dropped/i;

/** After these errors (cudaError: no device, ECC, those of kernels, unknown) CUDA does nothing more in a process. */
const lostCuda = /\bCUDA failure (46|214|70[029]|71[04-9]|999):/;

/** A buffer that could not be made is noticed where it is used; no reason is given with it. */
const tooLarge =
  /\bout of memory\b|OUT_OF_DEVICE_MEMORY|\[Invalid Buffer\b|max buffer size limit|maximum (storage buffer )?binding size|Failed to allocate memory for requested buffer|_ALLOC_FAILED\b/i;

export const isLost = (cause: unknown): boolean =>
  cause instanceof Error && (lost.test(cause.message) || lostCuda.test(cause.message));

/** Why a device does not work, without the place in ONNX Runtime's code that it begins with: `No supported adapters`. */
export const reasonOf = ({ message }: Error): string =>
  message
    .trim()
    .replace(/^.*\bwas false\.\s*/s, '')
    .replace(/^\/onnxruntime_src\S+\s*(.*\[ONNXRuntimeError\] : \d+ : \w+ : )?/s, '');

/** What was run when a device said something. */
interface Running {
  device: DeviceName;
  /** Of the program. */
  name: string;
  /** Of variables that lie on the device. */
  heldBytes: number;
}

/** @returns the error as one of ours where it is the device's; any other as it is */
export function deviceFault(cause: unknown, { device, name, heldBytes }: Running): unknown {
  if (!(cause instanceof Error)) return cause;
  const reason = cause.message.trim().split('\n')[0]!;
  if (isLost(cause)) {
    return new BenchError('UNAVAILABLE', `The device ${device} was lost in '${name}': ${reason}`, {
      hint: "Give the same command again: it goes on from what is saved, a training from its last train.saveEverySteps. If it happens again, the driver's messages say more (Linux: dmesg); a driver that gives up on long programs is helped by a smaller train.chunkSize, encode.batchTokens or search.batchSize.",
      cause,
    });
  }
  if (!tooLarge.test(cause.message)) return cause;
  const held = `${(heldBytes / 2 ** 20).toLocaleString('en-US', { maximumFractionDigits: 1 })} MiB`;
  return new BenchError(
    'OUT_OF_MEMORY',
    `The device ${device} gave no more memory for '${name}', beside the ${held} of weights and vectors that lie there: ${reason}`,
    {
      hint: 'Make train.chunkSize, encode.batchTokens or search.deviceMemoryMiB smaller, whichever it stopped in; other programs on this GPU take of its memory too. bench run --dry-run says what is needed, and deviceMemoryMiB what there is.',
      cause,
    },
  );
}
