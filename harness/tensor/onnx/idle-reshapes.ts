/**
 * Leaves out the reshapes that a program records but does not need: tfjs flattens and unfolds around every product. Not
 * done while recording, where two sizes may be equal by chance in one recording and not in the next.
 */
import { prune, type Value } from './graph.js';

/** Of a reshaped value only the last shape counts, and a value that has the shape already is taken as it is. */
export function withoutIdleReshapes(outputs: readonly Value[]): Value[] {
  for (const node of prune(outputs).nodes) {
    const [first, ...rest] = node.inputs;
    if (node.op === 'Reshape') node.inputs = [unfolded(first!), ...rest];
    else node.inputs = node.inputs.map((value) => value && needed(value));
  }
  return outputs.map((value) => {
    const source = needed(value);
    // An input or a constant cannot be an output by itself.
    return source.node === undefined ? value : source;
  });
}

/** What is reshaped in the end. */
function unfolded(value: Value): Value {
  return value.node?.op === 'Reshape' ? unfolded(value.node.inputs[0]!) : value;
}

function needed(value: Value): Value {
  const source = unfolded(value);
  const same =
    source.shape.length === value.shape.length && source.shape.every((d, i) => d === value.shape[i]);
  return same ? source : value;
}
