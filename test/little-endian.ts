/** Numbers and letters as the bytes of binary files that tests write, the lowest byte first. */

const number = (bytes: number, write: (buffer: Buffer) => unknown) => {
  const buffer = Buffer.alloc(bytes);
  write(buffer);
  return buffer;
};
export const u8 = (value: number) => Buffer.of(value);
export const i16 = (value: number) => number(2, (buffer) => buffer.writeInt16LE(value));
export const i32 = (value: number) => number(4, (buffer) => buffer.writeInt32LE(value));
export const i64 = (value: number) => number(8, (buffer) => buffer.writeBigInt64LE(BigInt(value)));
export const u16 = (value: number) => number(2, (buffer) => buffer.writeUInt16LE(value));
export const u32 = (value: number) => number(4, (buffer) => buffer.writeUInt32LE(value));
export const letters = (text: string) => Buffer.from(text, 'latin1');
