/**
 * How flags are packed into words for a device, which is sent an eighth of what a byte each would take. A word is an int32 that is
 * never negative, of 30 flags, the first in its lowest bit.
 */
export const flagsPerWord = 30;
/** A word of flags that are all 1. */
export const fullWord = 2 ** flagsPerWord - 1;

/** How many words hold so many flags. */
export const wordsFor = (flags: number): number => Math.ceil(flags / flagsPerWord);
