/** Numbers of 32 bits, one by one. Imports nothing of ours. */

const number = new Float32Array(1);
const bits = new Int32Array(number.buffer);

/** The largest 32-bit number below a value; of the smallest there is that one itself. */
export function nextBelow(value: number): number {
  if (value === Number.NEGATIVE_INFINITY) return value;
  number[0] = value;
  // Of 0 either way it is the negative number nearest to it.
  if (number[0] === 0) bits[0] = 0x80000001 | 0;
  else bits[0]! += number[0]! > 0 ? -1 : 1;
  return number[0]!;
}
