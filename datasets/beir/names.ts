/** BEIR's collections as their publisher lists them (https://github.com/beir-cellar/beir): sizes, hashes, what is not public. */
import type { Download } from '../../harness/contracts.js';

const address = 'https://public.ukp.informatik.tu-darmstadt.de/thakur/BEIR/datasets/';

/** Name, bytes and md5 of the zip, licence of the texts. */
const archives: readonly (readonly [name: string, sizeBytes: number, md5: string, licence: string])[] = [
  ['msmarco', 1_082_258_632, '444067daf65d982533ea17ebd59501e4', 'MS MARCO terms, research use'],
  ['trec-covid', 73_876_720, 'ce62140cb23feb9becf6270d0d1fe6d1', 'CORD-19 dataset licence'],
  ['nfcorpus', 2_448_432, 'a89dba18a62ef92f7d323ec890a0d38d', 'upstream terms, research use'],
  ['nq', 498_307_926, 'd4d3d2e48787a744b6f6e691ff534307', 'CC BY-SA 3.0'],
  ['hotpotqa', 654_025_350, 'f412724f78b0d91183a0e86805e16114', 'CC BY-SA 4.0'],
  ['fiqa', 17_948_027, '17918ed23cd04fb15047f73e6c3bd9d9', 'upstream terms, research use'],
  ['arguana', 3_773_617, '8ad3e3c2a5867cdced806d6503f29b99', 'CC BY 4.0'],
  ['webis-touche2020', 227_132_363, '46f650ba5a527fc69e0a6521c5a23563', 'CC BY 4.0'],
  ['cqadupstack', 5_343_728_040, '4e41456d7df8ee7760a7f866133bda78', 'CC BY-SA 3.0 (Stack Exchange)'],
  ['quora', 15_853_968, '18fb154900ba42a600f84b839c173167', 'upstream terms, research use'],
  ['dbpedia-entity', 639_285_131, 'c2a39eb420a3164af735795df012ac2c', 'CC BY-SA 3.0'],
  ['scidocs', 142_471_588, '38121350fc3a4d2f48850f6aff52e4a9', 'GPL-3.0'],
  ['fever', 1_236_988_269, '5a818580227bfb4b35bb6fa46d9b6c03', 'CC BY-SA 3.0'],
  ['climate-fever', 1_228_666_652, '8b66f0a9126c521bae2bde127b4dc99d', 'CC BY-SA 4.0'],
  ['scifact', 2_816_079, '5f7d1de60b170fc8027bb7898e2efca1', 'upstream terms, research use'],
];

export const forums = [
  ...['android', 'english', 'gaming', 'gis', 'mathematica', 'physics', 'programmers', 'stats', 'tex'],
  ...['unix', 'webmasters', 'wordpress'],
] as const;

/** What has to be rebuilt by whoever holds the licence. */
const notPublic: Readonly<Record<string, string>> = {
  bioasq:
    'Register at http://participants-area.bioasq.org, take the training set of task 9a and the test set of task 8b, and build corpus.jsonl, queries.jsonl and qrels/test.tsv from them as BEIR describes (examples/dataset in its repository)',
  signal1m:
    'Ask Signal AI for the Signal-1M tweets (https://research.signal-ai.com), fetch them by their ids, and build corpus.jsonl, queries.jsonl and qrels/test.tsv as BEIR describes (examples/dataset in its repository)',
  'trec-news':
    'Ask NIST for the TREC Washington Post collection (https://trec.nist.gov/data/wapost/), take the topics and qrels of the 2019 News track, and build corpus.jsonl, queries.jsonl and qrels/test.tsv as BEIR describes (examples/dataset in its repository)',
  robust04:
    'Ask NIST for TREC disks 4 and 5 (https://trec.nist.gov/data/cd45/), take the topics and qrels of Robust04, and build corpus.jsonl, queries.jsonl and qrels/test.tsv as BEIR describes (examples/dataset in its repository)',
};

/** `cqadupstack` is a group of its forums, each of which is a collection. */
export const variants: readonly string[] = [
  ...archives.map(([name]) => name).filter((name) => name !== 'cqadupstack'),
  ...forums.map((forum) => `cqadupstack/${forum}`),
  ...Object.keys(notPublic),
];

export const layout =
  'The folder holds corpus.jsonl ({"_id", "title", "text"} a line), queries.jsonl ({"_id", "text"} a line) and qrels/test.tsv, and train.tsv and dev.tsv beside it where there are any.';

export function licenceOf(variant: string | undefined): string {
  const name = variant?.split('/')[0];
  return archives.find(([each]) => each === name)?.[3] ?? 'that of the collection';
}

export function downloadOf(variant: string | undefined): Download {
  const name = variant?.split('/')[0];
  const known = archives.find(([each]) => each === name);
  const licence = licenceOf(variant);
  if (known !== undefined) {
    const [, sizeBytes, md5] = known;
    return { name: `${name}.zip`, url: `${address}${name}.zip`, sizeBytes, md5, licence };
  }
  const how =
    name === undefined
      ? 'Name a collection (beir/scifact), or give a folder'
      : `${notPublic[name]}; then give the folder`;
  return {
    name: name ?? 'folder',
    url: '',
    sizeBytes: 0,
    licence,
    instructions: `${how} with --data DIR. ${layout}`,
  };
}
