/** What a system takes on the disk beside its index, and with it. */
import type { Cost } from '../comparison/cost.js';
import type { Figure, RunRecord } from '../record.js';

const size = { group: 'size', unit: 'bytes', higherIsBetter: false, detail: true } as const;

const elsewhere: Figure = { value: null, reason: 'the model is not on this machine' };

const unfound: Figure = { value: null, reason: 'what found the hits that were given is not on this machine' };

type Part = 'model' | 'tokenizer';

/** Undefined where a system has no model, such as BM25. */
function modelSize(record: RunRecord, wanted: readonly Part[]): Figure | undefined {
  if (record.device.queryVectors !== undefined) return elsewhere;
  const parts = record.components ?? [record];
  // What has vectors has them of a model.
  const dense = parts.filter(({ model, index }) => model !== undefined || (index?.dimensions ?? 0) > 0);
  if (dense.length === 0) return undefined;
  const sizes = dense.flatMap(({ model }) => model?.sizeBytes ?? []);
  if (sizes.length < dense.length) return { value: null };
  return { value: sizes.flatMap((size) => wanted.map((part) => size[part])).reduce((a, b) => a + b, 0) };
}

function pipelineSize(record: RunRecord): Figure | undefined {
  const { index } = record;
  if (index === undefined) return undefined;
  if (record.device.hits !== undefined) return unfound;
  const model = modelSize(record, ['model', 'tokenizer']) ?? { value: 0 };
  return model.value === null ? model : { value: index.sizeBytes.total + model.value };
}

const modelSizes: Cost = {
  place: 75,
  columns: () => [
    {
      ...size,
      id: 'model-bytes',
      label: 'model',
      description:
        'Bytes of the files of the model on disk, of both encoders where they are two; those of its tokenizer apart.',
      of: (record) => modelSize(record, ['model']),
    },
    {
      ...size,
      id: 'tokenizer-bytes',
      label: 'tokenizer',
      description: 'Bytes of the files of the tokenizer on disk.',
      of: (record) => modelSize(record, ['tokenizer']),
    },
    {
      ...size,
      id: 'pipeline-bytes',
      label: 'whole pipeline',
      description:
        'Bytes on disk of all that answers: index, model and tokenizer. Texts are not in it: an answer is passage ids.',
      of: pipelineSize,
    },
  ],
};

export default modelSizes;
