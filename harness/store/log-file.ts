/** The log of a training. */
export const logFile = 'steps.jsonl';
/** What a piece of a search took, beside its hits. */
export const pieceFile = 'piece.json';

/** Files of artifacts in which times stand: made twice, they have other bytes and nothing else has. */
export const filesOfTimes: readonly string[] = [logFile, pieceFile];
