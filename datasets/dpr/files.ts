/** The files that DPR published (https://github.com/facebookresearch/DPR), as data. */
import type { Download } from '../../harness/contracts.js';

const address = 'https://dl.fbaipublicfiles.com/dpr/';
const licence = 'CC BY-NC 4.0';

export const variants = ['nq', 'trivia', 'squad1'] as const;
export type Variant = (typeof variants)[number];

/** DPR's cut of Wikipedia: 21,015,324 passages of 100 words. */
const passages: Download = {
  name: 'psgs_w100.tsv.gz',
  url: `${address}wikipedia_split/psgs_w100.tsv.gz`,
  sizeBytes: 4_694_541_059,
  md5: '612fe66e0b6b41ee28f806140226c563',
  licence,
};
export const passageCount = 21_015_324;

/** By name: bytes and md5. The publisher gives none; those that others have published are here. */
const known: Readonly<Record<string, readonly [sizeBytes: number, md5: string]>> = {
  'biencoder-nq-train.json.gz': [2_314_892_908, 'a1c927b5adae71388eb064329387709f'],
  'biencoder-nq-dev.json.gz': [256_239_282, '2640483dbe0df7ae29c6da419c551a80'],
  'biencoder-trivia-train.json.gz': [1_848_559_940, '5aa4d3577c91425cd20e239ed89a252b'],
  'biencoder-trivia-dev.json.gz': [207_271_749, 'd559dffe09acfe5a6370adea55b8abf2'],
};

function retrieverFile(name: string): Download {
  const [sizeBytes, md5] = known[name] ?? [0, undefined];
  return {
    name,
    url: `${address}data/retriever/${name}`,
    sizeBytes,
    ...(md5 !== undefined && { md5 }),
    licence,
  };
}

export interface Files {
  passages: Download;
  train: Download;
  dev: Download;
  /** Questions and answers of the test set. */
  test: Download;
}

export function filesOf(variant: string | undefined): Files {
  return {
    passages,
    train: retrieverFile(`biencoder-${variant}-train.json.gz`),
    dev: retrieverFile(`biencoder-${variant}-dev.json.gz`),
    test: retrieverFile(variant === 'trivia' ? 'trivia-test.qa.csv.gz' : `${variant}-test.qa.csv`),
  };
}

export function layoutOf(variant: string | undefined): string {
  const { train, dev, test } = filesOf(variant);
  const names = [test, train, dev].map(({ name }) => name.replace(/\.gz$/, ''));
  return `The folder holds psgs_w100.tsv and ${names[0]}, and for training ${names[1]} and ${names[2]}; each may end in .gz.`;
}
