/** How long it takes until there is something to search: every passage encoded, and the index built. */
import type { Cost, CostColumn } from '../comparison/cost.js';
import type { Figure, RunRecord, StageFacts } from '../record.js';

type Step = 'encode' | 'index';

/** Those of its components too, which stand under their names: `bm25: index`. */
const stagesOf = ({ stages }: RunRecord, steps: readonly Step[]): StageFacts[] =>
  stages.filter(({ name }) => steps.includes(name.split(': ').at(-1) as Step));

/** As the artifact says, whoever made it and when; undefined where a system has no such stage. */
function seconds(record: RunRecord, steps: readonly Step[]): Figure | undefined {
  const found = stagesOf(record, steps).map((stage) => secondsOf(record, stage));
  if (found.length === 0) return undefined;
  // The base alone is no part of what grew to this size, and a smaller size takes a share of what was encoded once.
  if (steps.includes('encode') && record.stages.some(({ name }) => name.endsWith('encode distractors')))
    return { value: null, reason: 'its distractors were encoded once, with those of the largest size' };
  const missing = found.find(({ value }) => value === null);
  return missing ?? { value: found.reduce((sum, { value }) => sum + value!, 0) };
}

function secondsOf(
  { device: { device, machine }, config }: RunRecord,
  { name, execution }: StageFacts,
): Figure {
  const took = execution.made?.took;
  const not = (why: string): Figure => ({ value: null, reason: `${name} is from the cache: ${why}` });
  if (took === undefined) return { value: null };
  if (took.seconds === null) return { value: null, reason: `${name}: ${took.reason}` };
  const { threads } = config as { threads?: number | null };
  const wanted = threads ?? machine.availableCores;
  if (execution.cached && device !== null && device !== 'cpu')
    return not('which device made it is not known');
  if (execution.cached && took.cpu === 'unknown') return not('what processor made it is not known');
  if (took.cpu !== machine.cpu) return not(`it was made on ${took.cpu}`);
  if (took.threads !== wanted) return not(`it was made with threads ${took.threads}, not ${wanted}`);
  return { value: took.seconds };
}

function rate(record: RunRecord, steps: readonly Step[]): Figure | undefined {
  const took = seconds(record, steps);
  const { passageCount } = record.dataset;
  if (took?.value == null || passageCount === null) return took?.value === null ? took : undefined;
  return took.value === 0 ? { value: null } : { value: passageCount / took.value };
}

const column = (id: string, label: string, description: string) =>
  ({ id, label, group: 'build', description }) as const;

const rateOf = (of: string): string => `Passages per second of ${of}, all passages over its seconds.`;

const both: readonly Step[] = ['encode', 'index'];

const columns: readonly CostColumn[] = [
  {
    ...column(
      'build-s',
      'build',
      'Seconds of encoding every passage and building the index, as they were measured when these were made; training is not in it.',
    ),
    ...{ unit: 's', higherIsBetter: false },
    of: (record) => seconds(record, both),
  },
  {
    ...column('passages-per-s', 'passages/s', rateOf('encoding and building the index')),
    ...{ unit: 'count', higherIsBetter: true, isRate: true, detail: true },
    of: (record) => rate(record, both),
  },
  ...(
    [
      ['encode', 'encoding', 'encoding, or of reading vectors that were made elsewhere'],
      ['index', 'indexing', 'building the index from vectors or texts'],
    ] as const
  ).flatMap(([step, label, what]): CostColumn[] => [
    {
      ...column(`${step}-build-s`, label, `Seconds of ${what}.`),
      ...{ unit: 's', higherIsBetter: false, detail: true },
      of: (record) => seconds(record, [step]),
    },
    {
      ...column(`${step}-passages-per-s`, `${label}, passages/s`, rateOf(what)),
      ...{ unit: 'count', higherIsBetter: true, isRate: true, detail: true },
      of: (record) => rate(record, [step]),
    },
  ]),
];

const buildTime: Cost = { place: 30, columns: () => columns };

export default buildTime;
