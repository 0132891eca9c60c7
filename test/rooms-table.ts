/** The table of rooms: what may import what. A new room, neighbour or package is a line here. */

export interface Room {
  floor: number;
  /** Rooms it may import, or 'below' for every room of a lower floor. Its own files always may, unless `alone`. */
  imports: readonly string[] | 'below';
  /** Its files never import each other. */
  alone?: true;
}

const ground = ['contracts', 'errors', 'json', 'interruption'];
const first = [...ground, 'program', 'random', 'store', 'config', 'presets', 'record', 'tensor', 'progress'];

export const rooms: Readonly<Record<string, Room>> = {
  contracts: { floor: 0, imports: [] },
  errors: { floor: 0, imports: [] },
  json: { floor: 0, imports: [] },
  interruption: { floor: 0, imports: ['errors'] },
  program: { floor: 1, imports: ground },
  random: { floor: 1, imports: ground },
  store: { floor: 1, imports: [...ground, 'program'] },
  config: { floor: 1, imports: [...ground, 'presets'] },
  presets: { floor: 1, imports: [...ground, 'config'] },
  record: { floor: 1, imports: [...ground, 'program', 'store', 'statistics'] },
  tensor: { floor: 1, imports: ground },
  progress: { floor: 1, imports: ground },
  text: { floor: 2, imports: first },
  model: { floor: 2, imports: [...first, 'text'] },
  statistics: { floor: 1, imports: [...ground, 'random'] },
  metrics: { floor: 2, imports: [...first, 'statistics'] },
  latency: { floor: 2, imports: [...first, 'statistics'] },
  interchange: { floor: 2, imports: [...ground, 'store'] },
  train: { floor: 2, imports: [...first, 'model', 'text'] },
  encode: { floor: 2, imports: [...first, 'model', 'text', 'index'] },
  index: { floor: 2, imports: [...first, 'model', 'text'] },
  search: { floor: 2, imports: [...first, 'model', 'text', 'index'] },
  export: { floor: 2, imports: [...first, 'model', 'text'] },
  architectures: { floor: 3, imports: [...ground, 'tensor', 'model'], alone: true },
  datasets: { floor: 3, imports: [...ground, 'store', 'text', 'interchange'] },
  reports: { floor: 3, imports: ground },
  comparison: { floor: 3, imports: [...first, 'statistics'] },
  regression: { floor: 3, imports: [...first, 'statistics', 'comparison'] },
  plugins: { floor: 4, imports: [...first, 'text', 'model', 'metrics', 'statistics'] },
  pipeline: {
    floor: 4,
    imports: [
      ...[...first, 'plugins', 'text', 'model', 'metrics', 'statistics', 'latency', 'interchange'],
      ...['train', 'encode', 'index', 'search', 'comparison', 'export'],
    ],
  },
  reproduction: {
    floor: 4,
    imports: [...first, 'plugins', 'pipeline', 'model', 'index', 'statistics', 'comparison'],
  },
  sweep: { floor: 4, imports: [...first, 'pipeline', 'statistics'] },
  perf: { floor: 5, imports: 'below' },
  cli: {
    floor: 5,
    imports: [
      ...ground,
      'program',
      'pipeline',
      'sweep',
      'plugins',
      'config',
      'presets',
      'record',
      'statistics',
      'comparison',
      'regression',
      'progress',
      'interchange',
      'reproduction',
    ],
  },
};

/** What a single file may import beyond its room: commands that show what other rooms have to offer. */
export const filesThatLookFurther: Readonly<Record<string, readonly string[]>> = {
  'harness/cli/cache.ts': ['store'],
  'harness/cli/evaluate.ts': ['metrics', 'store'],
  'harness/cli/evaluate-several.ts': ['store'],
  'harness/cli/evaluation-text.ts': ['metrics'],
  'harness/cli/export.ts': ['export'],
  'harness/cli/report.ts': ['store'],
  'harness/cli/request.ts': ['metrics'],
  'harness/cli/texts.ts': ['store'],
  'harness/cli/list.ts': ['tensor', 'search', 'metrics'],
  'harness/cli/doctor/machine.ts': ['tensor', 'search'],
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
  'faiss-node': ['harness/search/faiss.ts'],
  tinybench: ['latency'],
  yargs: ['cli'],
  ajv: ['config', 'record', 'reproduction'],
  '@huggingface/tokenizers': ['text'],
  '@huggingface/hub': ['model'],
  mathjs: ['statistics'],
  cephes: ['statistics'],
  '@stdlib/*': ['statistics'],
  yauzl: ['store'],
  tar: ['store'],
  stemmer: ['text'],
  porter2: ['text'],
  'csv-stringify': ['reports', 'interchange', 'reproduction'],
  vega: ['reports'],
  'vega-lite': ['reports'],
};

/** Packages with native code, and a large one: imported when they are used, so that light commands start without them. */
export const native = [
  'onnxruntime-node',
  'faiss-node',
  '@tensorflow/tfjs-node',
  '@tensorflow/tfjs-node-gpu',
  'mathjs',
];

/** Types alone leave no import behind in what is built. */
export const typesMayBeImported: Readonly<Record<string, readonly string[]>> = {
  'harness/contracts.ts': ['@tensorflow/tfjs-core'],
};

/** Files that import by a name they work out themselves: plug-ins, and optional packages. */
export const namesWorkedOut = [
  'harness/perf.ts',
  'harness/plugins.ts',
  'harness/program/place.ts',
  'harness/program/current.ts',
  'harness/tensor/tensorflow.ts',
  'harness/search/faiss.ts',
];

export const longestFile = 260;
