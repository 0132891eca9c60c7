/** The table of rooms: what may import what. A new room, neighbour or package is a line here. */

export interface Room {
  floor: number;
  /** Rooms it may import, or 'below' for every room of a lower floor. Its own files always may, unless `alone`. */
  imports: readonly string[] | 'below';
  /** Of a room of plug-ins: what one that somebody adds may import, and none here does. */
  offered?: readonly string[];
  /** Its files never import each other. */
  alone?: true;
}

export const rooms: Readonly<Record<string, Room>> = {
  contracts: { floor: 0, imports: [] },
  closing: { floor: 0, imports: [] },
  counted: { floor: 0, imports: [] },
  float32: { floor: 0, imports: [] },
  errors: { floor: 0, imports: ['offered'] },
  interruption: { floor: 0, imports: ['errors'] },
  json: { floor: 0, imports: [] },
  offered: { floor: 0, imports: [] },
  printable: { floor: 0, imports: [] },
  'json-schema': { floor: 0, imports: [] },
  'plugin-files': { floor: 0, imports: ['errors'] },
  program: { floor: 1, imports: ['errors', 'json'] },
  random: { floor: 1, imports: [] },
  store: {
    floor: 1,
    imports: ['closing', 'contracts', 'errors', 'interruption', 'json', 'offered', 'program'],
  },
  config: {
    floor: 1,
    imports: [...['errors', 'json', 'json-schema', 'plugin-files', 'presets'], 'statistics'],
  },
  presets: { floor: 1, imports: ['config'] },
  record: {
    floor: 1,
    imports: ['contracts', 'errors', 'json', 'json-schema', 'program', 'statistics', 'store'],
  },
  dataset: { floor: 1, imports: ['counted', 'contracts', 'errors'] },
  tensor: { floor: 1, imports: ['counted', 'errors', 'plugin-files', 'program'] },
  precisions: { floor: 1, imports: ['errors', 'tensor'] },
  progress: { floor: 1, imports: ['counted', 'interruption', 'printable'] },
  text: { floor: 2, imports: ['errors', 'json', 'json-schema', 'store'] },
  model: {
    floor: 2,
    imports: [
      ...['closing', 'counted', 'contracts', 'errors', 'json', 'json-schema', 'plugin-files', 'program'],
      ...['random', 'store', 'tensor', 'text'],
    ],
  },
  encoders: { floor: 2, imports: ['contracts', 'model', 'tensor'], alone: true },
  statistics: { floor: 1, imports: ['errors', 'random'] },
  metrics: { floor: 2, imports: ['contracts', 'errors', 'record', 'statistics'] },
  latency: { floor: 2, imports: ['errors', 'random', 'statistics'] },
  interchange: {
    floor: 2,
    imports: ['closing', 'contracts', 'errors', 'float32', 'interruption', 'json', 'json-schema', 'store'],
  },
  train: {
    floor: 2,
    imports: [
      ...['closing', 'counted', 'config', 'contracts', 'dataset', 'errors', 'json', 'model'],
      ...['program', 'progress', 'random', 'store', 'tensor', 'text'],
    ],
  },
  endpoint: { floor: 2, imports: ['errors', 'interruption', 'json'] },
  encode: { floor: 2, imports: ['contracts', 'index', 'model', 'progress'] },
  index: { floor: 2, imports: ['closing', 'contracts', 'errors', 'json', 'store', 'text'] },
  search: {
    floor: 2,
    imports: [
      ...['contracts', 'dataset', 'errors', 'float32', 'index', 'json', 'program', 'progress', 'statistics'],
      ...['store', 'tensor', 'text'],
    ],
  },
  export: {
    floor: 2,
    imports: ['contracts', 'errors', 'model', 'progress', 'random', 'store', 'tensor', 'text'],
  },
  architectures: { floor: 3, imports: ['contracts', 'model', 'tensor'], alone: true },
  datasets: { floor: 3, imports: ['counted', 'contracts', 'errors', 'interchange', 'json', 'store', 'text'] },
  reports: { floor: 3, imports: ['contracts'] },
  comparison: {
    floor: 3,
    imports: [
      ...['counted', 'config', 'contracts', 'errors', 'json', 'plugin-files', 'record'],
      ...['statistics', 'store'],
    ],
  },
  costs: { floor: 3, imports: ['comparison', 'program', 'record'], alone: true },
  regression: {
    floor: 3,
    imports: ['comparison', 'contracts', 'errors', 'json', 'record', 'statistics', 'store'],
  },
  plugins: { floor: 4, imports: ['contracts', 'errors', 'metrics', 'plugin-files', 'search'] },
  systems: {
    floor: 4,
    imports: ['pipeline', 'plugins'],
    offered: ['contracts', 'errors', 'record', 'search', 'stages', 'store'],
  },
  pipeline: {
    floor: 4,
    imports: [
      ...['closing', 'counted', 'comparison', 'config', 'contracts', 'dataset', 'endpoint', 'errors'],
      ...['export', 'index', 'interchange', 'json', 'latency', 'metrics', 'model', 'plugins'],
      ...['program', 'progress', 'random', 'record', 'search', 'stages', 'statistics', 'store'],
      ...['systems', 'tensor', 'text', 'train'],
    ],
  },
  stages: {
    floor: 4,
    imports: [
      ...[
        'closing',
        'config',
        'contracts',
        'dataset',
        'encode',
        'endpoint',
        'errors',
        'index',
        'interchange',
      ],
      ...['model', 'pipeline', 'plugins', 'program', 'progress', 'record', 'search', 'statistics'],
      ...['store', 'tensor', 'text', 'train'],
    ],
  },
  searchers: {
    floor: 4,
    imports: [
      ...['closing', 'errors', 'index', 'json', 'program', 'progress', 'random', 'search', 'store'],
      'tensor',
    ],
  },
  reproduction: {
    floor: 4,
    imports: [
      ...['counted', 'comparison', 'config', 'contracts', 'errors', 'index', 'json', 'json-schema'],
      ...['model', 'pipeline', 'plugins', 'presets', 'progress', 'record', 'stages', 'statistics'],
      ...['store', 'systems'],
    ],
  },
  sweep: {
    floor: 4,
    imports: [
      ...['counted', 'config', 'contracts', 'errors', 'pipeline', 'program', 'progress'],
      ...['record', 'stages', 'statistics', 'store', 'systems'],
    ],
  },
  tasks: {
    floor: 4,
    imports: [
      ...['closing', 'counted', 'errors', 'json', 'pipeline', 'plugins', 'program', 'progress', 'record'],
      ...['stages', 'store', 'sweep', 'systems'],
    ],
  },
  perf: { floor: 5, imports: 'below' },
  cli: {
    floor: 5,
    imports: [
      ...['closing', 'counted', 'comparison', 'config', 'contracts', 'dataset', 'errors', 'interchange'],
      ...['interruption', 'json', 'offered', 'pipeline', 'plugins', 'presets', 'printable', 'program'],
      ...['progress', 'record', 'regression', 'reproduction', 'statistics', 'store', 'sweep'],
      ...['systems', 'tasks'],
    ],
  },
};

/** What a single file may import beyond its room: commands that show what other rooms have to offer. */
export const filesThatLookFurther: Readonly<Record<string, readonly string[]>> = {
  'harness/cli.ts': ['store'],
  'harness/cli/cache.ts': ['store'],
  'harness/cli/evaluate.ts': ['store'],
  'harness/cli/evaluate-qrels.ts': ['metrics', 'store'],
  'harness/cli/evaluate-several.ts': ['store'],
  'harness/cli/evaluation-text.ts': ['metrics'],
  'harness/cli/export.ts': ['export'],
  'harness/cli/report.ts': ['store'],
  'harness/cli/texts.ts': ['store'],
  'harness/cli/list.ts': ['model', 'tensor'],
  'harness/cli/job.ts': ['store'],
  'harness/cli/doctor/machine.ts': ['tensor'],
  'harness/cli/doctor/places.ts': ['store'],
};

/** Third-party packages, and the rooms or files that may import them. */
export const packages: Readonly<Record<string, readonly string[]>> = {
  '@tensorflow/tfjs-core': ['tensor', 'perf'],
  '@tensorflow/tfjs-backend-cpu': ['tensor'],
  '@tensorflow/tfjs-backend-wasm': ['perf'],
  '@tensorflow/tfjs-node': ['tensor'],
  '@tensorflow/tfjs-node-gpu': ['tensor'],
  'onnxruntime-node': ['tensor'],
  'onnxruntime-common': ['tensor'],
  protobufjs: ['tensor'],
  'faiss-node': ['harness/searchers/faiss/flat.ts'],
  'strata-faiss': ['harness/searchers/faiss/device.ts'],
  usearch: ['harness/searchers/usearch/library.ts'],
  tinybench: ['latency'],
  yargs: ['cli'],
  bullmq: ['harness/tasks/queue.ts'],
  ioredis: ['harness/tasks/queue.ts'],
  pg: ['harness/tasks/queue.ts'],
  '@aws-sdk/client-s3': ['harness/store/remote/bucket.ts'],
  '@aws-sdk/lib-storage': ['harness/store/remote/bucket.ts'],
  ajv: ['json-schema'],
  '@huggingface/tokenizers': ['text'],
  '@huggingface/hub': ['harness/store/hub-access.ts'],
  mathjs: ['statistics'],
  cephes: ['statistics'],
  '@stdlib/*': ['statistics'],
  yauzl: ['store'],
  tar: ['store'],
  stemmer: ['text'],
  porter2: ['text'],
  hyparquet: ['interchange'],
  zstddec: ['interchange'],
  yaml: ['datasets', 'record'],
  'csv-stringify': ['reports', 'interchange', 'reproduction'],
  vega: ['reports'],
  'vega-lite': ['reports'],
};

/** Packages with native code, and a large one: imported when they are used, so that light commands start without them. */
export const native = [
  'onnxruntime-node',
  'faiss-node',
  'usearch',
  'koffi',
  'strata-faiss',
  '@tensorflow/tfjs-node',
  '@tensorflow/tfjs-node-gpu',
  'mathjs',
];

/** Types alone leave no import behind in what is built. */
export const typesMayBeImported: Readonly<Record<string, readonly string[]>> = {
  'harness/contracts.ts': ['@tensorflow/tfjs-core'],
  'harness/config/problems.ts': ['ajv'],
};

/** Files that import by a name they work out themselves: plug-ins, and optional packages. */
export const namesWorkedOut = [
  'harness/perf.ts',
  'harness/plugin-files.ts',
  'harness/program/place.ts',
  'harness/program/current.ts',
  'harness/tensor/tensorflow.ts',
  'harness/tensor/onnx/native-api.ts',
  'harness/searchers/faiss/device.ts',
  'harness/searchers/faiss/flat.ts',
  'harness/searchers/usearch/library.ts',
];

export const longestFile = 260;
