/** Programs and variables on a device. */
import type { InferenceSession } from 'onnxruntime-node';
import type { DeviceName } from '../engine.js';
import type { BusyClock } from './busy-clock.js';
import { beforeLastCast, nodesWithoutKernel, useDeviceOperators } from './device-operators.js';
import { DeviceProgram } from './device-program.js';
import { DeviceResidents } from './device-residents.js';
import type { DeviceRuntime } from './device-runtime.js';
import { DeviceMemory, deviceVariables } from './device-variables.js';
import { fuseLayers } from './fused-layers.js';
import { type Graph, prune, type Value } from './graph.js';
import { withoutIdleReshapes } from './idle-reshapes.js';
import { writeModel } from './model-file.js';
import { askedOf, type Place, productsOf, refusal } from './place.js';
import { loadPrecision, rewriteTraining } from './precision.js';
import { record } from './recorder.js';

/** On a device: variables stay there, and no node of a program runs on the CPU unsaid. */
export function onDevice(
  { ort, rewritings, largestArrayBytes, tryLargestArray, hasInt64, extra }: DeviceRuntime,
  options: InferenceSession.SessionOptions,
  clock: BusyClock,
  device: DeviceName,
): Place {
  const session = { ...(options.extra?.session as object), ...extra.session };
  const memory = new DeviceMemory(ort, { ...options, extra: { ...extra, session } }, device);
  const residents = new DeviceResidents(memory);
  return {
    largestArrayBytes,
    ...(tryLargestArray && { tryLargestArray }),
    hasInt64,
    async compile(build, inputs, asked) {
      const { fixed, name, precision, overflowing, trained } = askedOf(asked);
      const plugin = await loadPrecision(precision);
      if (plugin !== undefined && plugin.onDevice === undefined)
        throw new TypeError(`no program computes in ${precision} on ${device}`);
      // Weights lie there once for all programs; what else is fixed is small, and part of the program.
      const baked = new Map([...fixed].filter(([, values]) => !(values instanceof Float32Array)));
      const bound = inputs.flatMap((_, i) =>
        baked.has(i) ? [] : [fixed.get(i) as Float32Array | undefined],
      );
      const { graph, outputs: recorded } = record(build, inputs, baked, true);
      const outputs = apart(graph, withoutIdleReshapes(recorded).map(beforeLastCast));
      fuseLayers(outputs);
      const isMatrix = (i: number) => fixed.has(i) && inputs[i]!.shape.length > 1;
      const open = inputs.flatMap((_, i) => (baked.has(i) ? [] : [i]));
      const products = productsOf(graph, outputs, open, { fixed, isMatrix, overflowing });
      const halves: Map<Value, Float32Array> = trained
        ? rewriteTraining(plugin, device, products, inputs, trained)
        : (plugin?.onDevice?.(products) ?? new Map());
      useDeviceOperators(graph, outputs, rewritings);
      const { nodes, used } = prune(outputs);
      return new DeviceProgram(memory, clock, {
        name,
        model: writeModel(graph, nodes, used, outputs),
        inputs: graph.inputs.map((value) => (used.has(value) ? value : undefined)),
        bound: [
          ...bound.map((values) => values && residents.variable(values)),
          ...[...halves.values()].map((values) => residents.halves(values)),
        ],
        outputs,
        async explain(cause) {
          const isMissing = /fallback to CPU EP/.test((cause as Error).message);
          const without = isMissing ? await nodesWithoutKernel(ort, nodes, memory.options) : [];
          if (without.length === 0) return refusal(name, cause);
          const what = `The program '${name}' cannot run on ${device}, which has no kernel for ${without.join('; ')}.`;
          return new Error(what, { cause });
        },
      });
    },
    variables: (sizes) => deviceVariables(memory, sizes),
    resident: (values) => residents.variable(values),
    release: (values) => residents.release(values),
    async dispose() {
      residents.dispose();
    },
  };
}

/** Each output a value of its own: what stays on the device belongs to one variable. */
function apart(graph: Graph, outputs: readonly Value[]): Value[] {
  const seen = new Set<Value>();
  return outputs.map((value) => {
    const own = seen.has(value) ? graph.node('Identity', [value], value.shape, value.dtype) : value;
    seen.add(own);
    return own;
  });
}
