/**
 * In what passages and queries are multiplied with weights. float32 is what training, validation and every loss compute in;
 * the others are for encoding alone, and what comes out of a program is float32 in any of them.
 *
 * int8: weights and what they are multiplied with become integers of 8 bits, whose products are added up in 32.
 * f16: weights are held as float16 numbers, and multiplied with float16 numbers.
 */
export type Precision = 'float32' | 'int8' | 'f16';
