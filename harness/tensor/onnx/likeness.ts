/**
 * What recordings of one program for several shapes have in common: the same nodes, and at each place where a constant
 * differs, how it depends on B and T. From this the program can be written for every shape.
 */
import { type BatchShape, type Extent, fitExtent } from './extent.js';
import { type GraphNode, prune, type Value } from './graph.js';
import type { Recording } from './recorder.js';

/** One input of a node. */
export type Operand =
  /** The output of a node, an input of the program, or a constant that is the same for every shape. */
  | { kind: 'value'; value: Value }
  /** Sizes, one for each element. */
  | { kind: 'sizes'; sizes: Extent[]; like: Value }
  /** One value throughout. */
  | { kind: 'filled'; filling: number; shape: Extent[]; like: Value }
  /** start, start + step, ... of so many elements. */
  | { kind: 'sequence'; start: number; step: number; count: Extent; like: Value };

export interface CommonNode {
  /** As the first recording has it. */
  node: GraphNode;
  inputs: readonly (Operand | undefined)[];
}

export interface CommonProgram {
  /** What is fed, as the first recording has it. */
  inputs: readonly Value[];
  nodes: readonly CommonNode[];
  outputs: readonly { value: Value; shape: readonly Extent[] }[];
}

/** Recordings differ in a way that B and T do not explain. */
export class Unlike extends Error {}

/**
 * @param recordings of one program, one for each shape
 * @param shapes the first four settle extents, see `settlingShapes`; the others are held against them
 * @returns Unlike, saying where they differ, where they have no form in common
 */
export function commonProgram(
  recordings: readonly Recording[],
  shapes: readonly BatchShape[],
): CommonProgram | Unlike {
  try {
    return unite(recordings, shapes);
  } catch (error) {
    if (error instanceof Unlike) return error;
    throw error;
  }
}

function unite(recordings: readonly Recording[], shapes: readonly BatchShape[]): CommonProgram {
  const pruned = recordings.map(({ outputs }) => prune(outputs).nodes);
  const [first] = pruned as [GraphNode[]];
  for (const [r, nodes] of pruned.entries()) {
    if (nodes.length !== first.length) {
      throw new Unlike(
        `${first.length} operations for ${at(shapes[0]!)}, ${nodes.length} for ${at(shapes[r]!)}`,
      );
    }
  }
  const places = recordings.map((recording, r) => placesOf(recording, pruned[r]!));
  const nodes = first.map((node, n): CommonNode => {
    const others = pruned.map((list) => list[n]!);
    for (const [r, other] of others.entries()) {
      if (signature(other) !== signature(node))
        throw new Unlike(`${node.op} for ${at(shapes[0]!)} is ${other.op} for ${at(shapes[r]!)}`);
    }
    const inputs = node.inputs.map((value, i) => {
      if (value === undefined) return undefined;
      const found = others.map((other) => other.inputs[i]!);
      return commonOperand(found, places, shapes, `input ${i} of ${node.op}`);
    });
    return { node, inputs };
  });
  const outputs = recordings[0]!.outputs.map((value, o) => {
    const found = recordings.map((recording) => recording.outputs[o]!);
    if (new Set(found.map((output, r) => places[r]!.get(output))).size > 1)
      throw new Unlike(`output ${o} comes from different operations`);
    return { value, shape: commonShape(found, shapes, `output ${o}`) };
  });
  return { inputs: recordings[0]!.graph.inputs, nodes, outputs };
}

const at = ({ batch, tokens }: BatchShape) => `${batch} texts of ${tokens} tokens`;

/** What must be equal for two nodes to be the same: everything but their inputs. */
function signature({ op, domain, attributes, inputs, outputs }: GraphNode): string {
  return JSON.stringify([op, domain, attributes, inputs.map((x) => x === undefined), outputs.length]);
}

/** Where each value comes from: the same text in every recording. Constants are left out. */
function placesOf({ graph }: Recording, nodes: readonly GraphNode[]): Map<Value, string> {
  const places = new Map<Value, string>();
  for (const [i, value] of graph.inputs.entries()) places.set(value, `input ${i}`);
  for (const [n, { outputs }] of nodes.entries())
    for (const [o, value] of outputs.entries()) places.set(value, `${n}/${o}`);
  return places;
}

function commonOperand(
  values: readonly Value[],
  places: readonly ReadonlyMap<Value, string>[],
  shapes: readonly BatchShape[],
  where: string,
): Operand {
  const like = values[0]!;
  const sources = new Set(values.map((value, r) => places[r]!.get(value)));
  if (sources.size > 1) throw new Unlike(`${where} comes from different operations`);
  if (like.constant === undefined) return { kind: 'value', value: like };
  const lists = values.map(({ constant }) => constant as ArrayLike<number | bigint>);
  const isSameShape = values.every(({ shape }) => shape.join() === like.shape.join());
  if (isSameShape && lists.every((list) => isEqual(list, lists[0]!))) return { kind: 'value', value: like };
  if (isSameShape && like.dtype !== 'bool') {
    const sizes = Array.from(lists[0]!, (_, e) =>
      fitExtent(
        lists.map((list) => Number(list[e])),
        shapes,
      ),
    );
    if (sizes.every((size) => size !== undefined)) return { kind: 'sizes', sizes, like };
  }
  if (!isSameShape) {
    const filling = lists[0]![0];
    if (lists.every((list) => isFilled(list, filling)))
      return { kind: 'filled', filling: Number(filling), shape: commonShape(values, shapes, where), like };
    const [start, second] = Array.from(lists[0]!.length > 1 ? lists[0]! : [], Number);
    if (like.shape.length === 1 && start !== undefined && second !== undefined) {
      const step = second - start;
      const isWhole = Number.isSafeInteger(start) && Number.isSafeInteger(step) && step !== 0;
      if (isWhole && lists.every((list) => isSequence(list, start, step)))
        return { kind: 'sequence', start, step, count: commonShape(values, shapes, where)[0]!, like };
    }
  }
  throw new Unlike(`${where} is a constant [${like.shape}] that differs in no known way with B and T`);
}

function isEqual(a: ArrayLike<number | bigint>, b: ArrayLike<number | bigint>): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (!Object.is(a[i], b[i])) return false;
  return true;
}

function isFilled(list: ArrayLike<number | bigint>, filling: number | bigint | undefined): boolean {
  if (filling === undefined) return false;
  for (let i = 0; i < list.length; i++) if (!Object.is(list[i], filling)) return false;
  return true;
}

function isSequence(list: ArrayLike<number | bigint>, start: number, step: number): boolean {
  for (let i = 0; i < list.length; i++) if (Number(list[i]) !== start + i * step) return false;
  return true;
}

function commonShape(values: readonly Value[], shapes: readonly BatchShape[], where: string): Extent[] {
  return values[0]!.shape.map((_, axis) => {
    const sizes = values.map(({ shape }) => shape[axis]!);
    const extent = fitExtent(sizes, shapes);
    if (extent === undefined || values.some(({ shape }) => shape.length !== values[0]!.shape.length))
      throw new Unlike(`axis ${axis} of ${where} is ${sizes.join(', ')}, which B and T do not give`);
    return extent;
  });
}
