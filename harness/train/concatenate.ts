/** @param Numbers what the parts and the whole are */
export function concatenate<T extends Float32Array | Int32Array>(
  Numbers: new (length: number) => T,
  parts: readonly T[],
): T {
  const whole = new Numbers(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
