/** What a system takes on the disk beside its index, and with it. */
import type { Cost } from '../comparison/cost.js';
import type { Figure, RunRecord } from '../record.js';

const size = { group: 'size', unit: 'bytes', higherIsBetter: false, detail: true } as const;

const elsewhere: Figure = { value: null, reason: 'the model is not on this machine' };

type Part = 'model' | 'tokenizer';

/** Undefined where a system has no model, such as BM25. */
function modelSize(
  { model, components = [], device }: RunRecord,
  parts: readonly Part[],
): Figure | undefined {
  if (device.queryVectors !== undefined) return elsewhere;
  const models = [model, ...components.map((each) => each.model)].flatMap((each) => each ?? []);
  if (models.length === 0) return undefined;
  let sum = 0;
  for (const { sizeBytes } of models) {
    if (sizeBytes === undefined) return { value: null };
    for (const part of parts) sum += sizeBytes[part];
  }
  return { value: sum };
}

function pipelineSize(record: RunRecord): Figure | undefined {
  const { index } = record;
  if (index === undefined) return undefined;
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
