/** `bench export`: a trained checkpoint as files for other tools. */
import { unknownName } from '../errors.js';
import { byteSize } from '../progress.js';
import type { Command } from './command.js';
import { beginJob } from './job.js';
import { renderTable } from './table.js';

export const command: Command = {
  usage: '--checkpoint C --format onnx|safetensors --out FOLDER',
  description:
    "Writes a trained checkpoint for other tools. onnx: passage.onnx and query.onnx, token ids in (input_ids, attention_mask: int64 [batch, sequence]), the architecture's vectors out ([batch, vectors, dimensions], and present [batch, vectors] where a text can have fewer), any batch and length; each file is run and its vectors held against ours to 1e-5, else nothing is written. safetensors: a Hugging Face folder per encoder.",
  options: {
    checkpoint: {
      type: 'text',
      describe: 'folder of a trained checkpoint: the one with a retriever.json',
      required: true,
    },
    format: { type: 'text', describe: 'onnx or safetensors', required: true },
    out: { type: 'text', describe: 'folder to be made', required: true },
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
  ],
  async run(values, _positionals, print) {
    const { exportFormats } = await import('../export/export-folder.js');
    const format = exportFormats.find((name) => name === values.format);
    if (format === undefined) throw unknownName('export format', String(values.format), exportFormats);
    const { exportCheckpoint } = await import('../pipeline/export-stage.js');
    const request = {
      checkpoint: String(values.checkpoint),
      format,
      out: String(values.out),
      engine: String(values.engine ?? 'onnx'),
    };
    const facts = await exportCheckpoint(request, beginJob(values));
    if (values.json === true) {
      print(`${JSON.stringify(facts, null, 2)}\n`);
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
