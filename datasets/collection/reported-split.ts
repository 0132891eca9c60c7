/** Which of BEIR's judgements are which split. */

/** BEIR reports MS MARCO by its dev queries; its test file holds the 43 topics of TREC DL 2019. */
export const qrelNames = (variant: string | undefined) =>
  variant === 'msmarco'
    ? { train: 'train.tsv', dev: undefined, test: 'dev.tsv' }
    : { train: 'train.tsv', dev: 'dev.tsv', test: 'test.tsv' };
