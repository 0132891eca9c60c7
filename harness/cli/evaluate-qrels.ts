/** A run measured against qrels, as trec_eval measures it. */
import path from 'node:path';
import { BenchError } from '../errors.js';
import { hashOfQrels, readQrels } from '../interchange/qrels.js';
import { type RunFormat, readRunFile, runFormatNamed } from '../interchange/run-file.js';
import { parseJson } from '../json.js';
import { type Evaluation, evaluate } from '../metrics/evaluate.js';
import type { TieRule } from '../metrics/judge.js';
import { measureValues } from '../metrics/measure-values.js';
import { parseMeasures } from '../plugins/measures.js';
import { bareArchitecture, newRecord, type RunRecord, runElsewhere } from '../record.js';
import { describeFile } from '../store/hash-once.js';
import { splitList, type Values } from './command.js';
import { type Evaluated, notesOf } from './evaluation-text.js';
import { wholeNumber } from './request.js';

/** Where nobody says which. */
export const usualMeasures = 'success@5,success@20,success@100,mrr@10,ndcg@10,recall@100,map';

/** @throws BenchError USAGE for measures that ask for texts, and for a run without query ids */
export async function againstQrels(values: Values): Promise<Evaluated> {
  const measures = parseMeasures(splitList('measure', String(values.measure ?? usualMeasures)));
  const asking = measures.filter(({ needs }) => needs === 'answers').map(({ id }) => id);
  if (asking.length > 0) {
    throw new BenchError(
      'USAGE',
      `${asking.join(', ')} cannot be evaluated: a run and qrels hold no answers and no texts.`,
      {
        hint: 'success@k is top-k accuracy by qrels; with --dataset instead of --qrels answer@k is measured.',
      },
    );
  }
  const options = {
    ties: tieRule(values.ties),
    relevance: wholeNumber(values, 'relevance') ?? 1,
    depth: wholeNumber(values, 'depth') ?? Number.POSITIVE_INFINITY,
    queries: values.complete === true ? 'judged' : 'judged-and-run',
    unjudged: values['judged-only'] === true ? 'dropped' : 'kept',
  } as const;
  const [runFile, qrelsFile] = [String(values.run), String(values.qrels)];
  const { run, tag, format, remarks } = await readRunFile(runFile, formatOf(values));
  refuseOrdinals(runFile, format);
  const qrels = await readQrels(qrelsFile);
  const evaluation = evaluate(run, qrels, measures, options);
  const judgements = hashOfQrels(qrels);
  return {
    evaluation,
    remarks,
    record: () => recordOf(evaluation, { run: runFile, qrels: qrelsFile, judgements, remarks }, tag, options),
  };
}

/** Its questions have no ids: numbers in their place would be compared with the ids of the qrels, and some might be equal. */
function refuseOrdinals(file: string, format: RunFormat): void {
  if (format !== 'dpr') return;
  throw new BenchError(
    'USAGE',
    `${file} holds DPR's retrieval results, which have no query ids: they cannot be measured with --qrels.`,
    { hint: 'Say whose queries they are: --dataset D instead of --qrels.' },
  );
}

/** The format that was asked for; found out where absent. */
export function formatOf({ 'run-format': name }: Values) {
  return name === undefined ? {} : { format: runFormatNamed(String(name)) };
}

function tieRule(given: Values[string]): TieRule {
  const rule = String(given ?? 'trec_eval');
  if (rule === 'trec_eval' || rule === 'as-ranked') return rule;
  throw new BenchError('USAGE', `--ties ${rule} is neither trec_eval nor as-ranked.`, {
    hint: 'trec_eval orders by score and then by passage id, descending; as-ranked keeps the ranks of the file.',
  });
}

/** A run record of a system that bench did not run: what is not known of it is null. */
async function recordOf(
  evaluation: Evaluation,
  files: { run: string; qrels: string; judgements: string; remarks: readonly string[] },
  tag: string | undefined,
  config: { relevance: number },
): Promise<RunRecord> {
  const { queryIds } = evaluation;
  const { run: runFile, qrels: qrelsFile, judgements, remarks } = files;
  const qrels = await describeFile(qrelsFile);
  const run = await describeFile(runFile);
  return newRecord({
    ...runElsewhere,
    // JSON has no infinity: a depth without end is left out.
    config: parseJson(
      JSON.stringify(config, (_, value) => (value === Number.POSITIVE_INFINITY ? undefined : value)),
    ) as Record<string, unknown>,
    arch: bareArchitecture(tag ?? path.basename(runFile)),
    dataset: {
      name: qrels.name,
      version: judgements.slice(0, 12),
      licence: null,
      files: [qrels],
      passageCount: null,
      split: 'qrels',
      counts: {},
      judgements,
    },
    queryIds,
    measures: measureValues(evaluation),
    warnings: [
      `run file ${run.name}, sha256 ${run.sha256}`,
      ...(config.relevance === 1
        ? []
        : [`Measures without grades take a relevance of ${config.relevance} or more for relevant.`]),
      ...remarks,
      ...notesOf(evaluation),
    ],
  });
}
