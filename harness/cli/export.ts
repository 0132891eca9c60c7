/** `bench export`: a trained checkpoint, or a run record, as files for other tools. */
import path from 'node:path';
import { BenchError, unknownName } from '../errors.js';
import { jsonText } from '../json.js';
import { byteSize } from '../progress.js';
import { type Command, type Print, splitList, type Values } from './command.js';
import { beginJob } from './job.js';
import { renderTable } from './table.js';

export const command: Command = {
  usage:
    '--checkpoint C --format onnx|safetensors --out FOLDER | --record R --format mteb|ir_metadata --out FILE',
  description:
    "Writes a trained checkpoint for other tools. onnx: passage.onnx and query.onnx, token ids in (input_ids, attention_mask: int64 [batch, sequence]), the architecture's vectors out ([batch, vectors, dimensions], and present [batch, vectors] where a text can have fewer), any batch and length; each file is run and its vectors held against ours to 1e-5, else nothing is written. safetensors: a Hugging Face folder per encoder. Of a run record: mteb, MTEB's result of a retrieval task; ir_metadata, what made the run, as YAML beside a TREC run.",
  options: {
    checkpoint: { type: 'text', describe: 'folder of a trained checkpoint: the one with a retriever.json' },
    record: { type: 'text', describe: 'run record, for mteb and ir_metadata' },
    format: { type: 'text', describe: 'onnx or safetensors; mteb or ir_metadata', required: true },
    out: { type: 'text', describe: 'folder to be made, or file to be written', required: true },
    task: {
      type: 'text',
      describe: "mteb: what it calls the task, SciFact; the dataset's name where absent",
    },
    languages: { type: 'text', describe: 'mteb: languages of the task, by comma: eng-Latn' },
    engine: {
      type: 'text',
      describe: "what makes the vectors to check against, 'bench list engines'; onnx where absent",
    },
    json: { type: 'switch', describe: 'print what was written as JSON' },
  },
  examples: [
    [
      'bench export --checkpoint .bench/checkpoints/KEY --format onnx --out exported',
      'for onnxruntime anywhere',
    ],
    [
      'bench export --checkpoint .bench/checkpoints/KEY --format safetensors --out exported',
      'for transformers',
    ],
    [
      'bench export --record results/a.record.json --format mteb --task SciFact --out SciFact.json',
      'beside results of mteb',
    ],
  ],
  async run(values, _positionals, print) {
    if (await isOfRecord(values)) return exportOfRecord(values, print);
    const { exportFormats } = await import('../export/export-folder.js');
    const format = exportFormats.find((name) => name === values.format)!;
    const { exportCheckpoint } = await import('../pipeline/export-stage.js');
    const request = {
      checkpoint: String(values.checkpoint),
      format,
      out: String(values.out),
      engine: String(values.engine ?? 'onnx'),
    };
    const facts = await exportCheckpoint(request, beginJob(values));
    if (values.json === true) {
      print(jsonText(facts));
      return 0;
    }
    const differences = new Map(facts.checks.map(({ file, ...check }) => [file, check]));
    const rows = facts.files.map(({ name, sizeBytes }) => {
      const check = differences.get(name);
      const difference =
        check === undefined
          ? ''
          : `${check.largestDifference.toExponential(1)} of ${check.tolerance.toExponential()}`;
      return [name, byteSize(sizeBytes), difference, check === undefined ? '' : String(check.texts)];
    });
    const header = ['file', 'size', ...(facts.checks.length > 0 ? ['largest difference', 'texts'] : [])];
    print(`${facts.architecture}, checkpoint ${facts.checkpoint}\n\n`);
    print(`${renderTable(header, rows, 'lrrr', 1)}\n${facts.format}: ${facts.folder}\n`);
    return 0;
  },
};

/** @throws BenchError USAGE where the format and what is to be exported do not belong together; UNKNOWN_NAME for the format */
async function isOfRecord({ format, checkpoint, record, ...others }: Values): Promise<boolean> {
  const { exportFormats } = await import('../export/export-folder.js');
  const { recordFormats } = await import('../pipeline/record-exchange.js');
  const known = [...exportFormats, ...Object.keys(recordFormats)];
  if (!known.includes(String(format))) throw unknownName('export format', String(format), known);
  const ofRecord = Object.hasOwn(recordFormats, String(format));
  const [needed, other] = ofRecord ? ['record', checkpoint] : ['checkpoint', record];
  const notMteb = format === 'mteb' ? [] : (['task', 'languages'] as const);
  const strange = notMteb.find((name) => others[name] !== undefined);
  if (strange !== undefined)
    throw new BenchError('USAGE', `--${strange} plays no part in --format ${String(format)}.`);
  if ((ofRecord ? record : checkpoint) !== undefined && other === undefined) return ofRecord;
  throw new BenchError('USAGE', `--format ${String(format)} is made of one thing: --${needed}.`, {
    hint: 'onnx and safetensors are made of --checkpoint C, mteb and ir_metadata of --record R.',
  });
}

async function exportOfRecord(values: Values, print: Print): Promise<number> {
  const { exportRecord } = await import('../pipeline/record-exchange.js');
  const out = path.resolve(String(values.out));
  const format = values.format === 'mteb' ? 'mteb' : 'ir_metadata';
  await exportRecord({
    ...{ record: String(values.record), format, out },
    ...(values.task !== undefined && { task: String(values.task) }),
    ...(values.languages !== undefined && { languages: splitList('languages', String(values.languages)) }),
  });
  print(values.json === true ? jsonText({ format, file: out }) : `${format}: ${out}\n`);
  return 0;
}
