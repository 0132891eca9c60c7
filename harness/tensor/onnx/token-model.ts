/**
 * Writes a program over a batch of token ids as an ONNX model that takes any number of texts of any length. The program
 * is recorded for several shapes; what they have in common is the model, see likeness.ts.
 */
import { BenchError } from '../../errors.js';
import type { DataType } from '../engine.js';
import { dynamicGraph } from './dynamic-graph.js';
import { type BatchShape, settlingShapes } from './extent.js';
import { prune } from './graph.js';
import { type CommonProgram, commonProgram, Unlike } from './likeness.js';
import { writeModel } from './model-file.js';
import { type Recording, record } from './recorder.js';
import type { TokenProgram } from './token-program.js';
import './kernels.js';

export interface TokenModel {
  bytes: Uint8Array;
  /** Texts of fewer tokens are padded to so many within the model. */
  shortest: number;
}

/** One protobuf message can hold no more; some room is left for what is not weights. */
const mostBytes = 2 ** 31 - 2 ** 22;

/** @throws BenchError EXPORT_FAILED where the program has no form for every shape, or is too large for one file */
export function writeTokenModel(program: TokenProgram): TokenModel {
  const { common, shortest } = findCommon(program);
  const { graph, outputs } = dynamicGraph(program, common, shortest);
  const { nodes, used } = prune(outputs);
  const bytes = [...used].reduce((sum, { constant }) => sum + (constant?.byteLength ?? 0), 0);
  if (bytes > mostBytes) {
    throw new BenchError(
      'EXPORT_FAILED',
      `The weights are ${bytes} bytes, and one ONNX file holds at most ${mostBytes}.`,
      { hint: 'Export with --format safetensors.' },
    );
  }
  const properties = { ...program.properties, shortest: String(shortest) };
  return { bytes: writeModel(graph, nodes, used, outputs, properties), shortest };
}

function recordFor({ weights, build }: TokenProgram, { batch, tokens }: BatchShape): Recording {
  const text = (dtype: DataType) => ({ shape: [batch, tokens], dtype });
  const specs = weights.map(({ shape }) => ({ shape, dtype: 'float32' as const }));
  const count = weights.length;
  return record(
    (inputs) => build(inputs.slice(0, count), inputs[count]!, inputs[count + 1]!),
    [...specs, text('int32'), text('float32')],
    new Map(),
  );
}

/** Where positions are relative there is no longest text: what holds up to this length holds above. */
const longestRecorded = 512;

/** The program for long texts, and the length from which on it holds: short ones may take another way through the code. */
function findCommon(program: TokenProgram): { common: CommonProgram; shortest: number } {
  const longest = Math.min(program.longest, longestRecorded);
  if (longest < 5) throw refusal(`${longest} tokens at most are too few to tell how it depends on them`);
  const shapes = [
    ...settlingShapes([2, 3], [longest - 3, longest]),
    { batch: 5, tokens: longest - 1 },
    { batch: 7, tokens: longest - 2 },
  ];
  const recordings = shapes.map((shape) => recordFor(program, shape));
  const common = commonProgram(recordings, shapes);
  if (common instanceof Unlike) throw refusal(common.message);
  for (let tokens = 1; tokens < longest - 3; tokens++) {
    const short = { batch: 2, tokens };
    const found = commonProgram([...recordings, recordFor(program, short)], [...shapes, short]);
    if (!(found instanceof Unlike)) return { common, shortest: tokens };
  }
  return { common, shortest: longest - 3 };
}

function refusal(reason: string): BenchError {
  return new BenchError('EXPORT_FAILED', `The encoder has no form for texts of every length: ${reason}.`, {
    hint: 'In the code of its architecture, sizes must be constants, B, T, or sums and products of them.',
  });
}
