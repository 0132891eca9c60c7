/** The number types of safetensors files, and how those that can hold weights become float32. */

/** Bits of one number. */
export const numberTypes = {
  BOOL: 8,
  U8: 8,
  I8: 8,
  F8_E5M2: 8,
  F8_E4M3: 8,
  I16: 16,
  U16: 16,
  F16: 16,
  BF16: 16,
  I32: 32,
  U32: 32,
  F32: 32,
  F64: 64,
  I64: 64,
  U64: 64,
} as const;
export type NumberType = keyof typeof numberTypes;

/** Little-endian bytes -> float32, exactly where the type is no wider, else rounded. The bytes must start at offset 0 of a buffer. */
export const toFloat32: Partial<Record<NumberType, (bytes: Uint8Array) => Float32Array>> = {
  F64: (bytes) => Float32Array.from(new Float64Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 8)),
  F32: (bytes) => new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4),
  F16: (bytes) => {
    halves ??= halfTable();
    const table = halves;
    return Float32Array.from(words(bytes), (bits) => table[bits]!);
  },
  // bfloat16 is float32 without its lower half.
  BF16: (bytes) => new Float32Array(Uint32Array.from(words(bytes), (bits) => bits << 16).buffer),
};

let halves: Float32Array | undefined;

function words(bytes: Uint8Array): Uint16Array {
  return new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 2);
}

/** Every IEEE 754 binary16 by its bits: 1 sign, 5 exponent, 10 fraction. */
function halfTable(): Float32Array {
  return Float32Array.from({ length: 65536 }, (_, bits) => {
    const sign = bits & 0x8000 ? -1 : 1;
    const exponent = (bits >> 10) & 0x1f;
    const fraction = bits & 0x3ff;
    if (exponent === 0) return sign * fraction * 2 ** -24;
    if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
    return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
  });
}
