/** The log of a training, the one file of an artifact in which times stand: made twice, it has other bytes and nothing else has. */
export const logFile = 'steps.jsonl';
