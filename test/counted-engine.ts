/** An engine that says what is alive of what it made. For tests. */
import type { Engine, VariableSet } from '../harness/tensor/engine.js';

/** @param elsewhere whether variables seem to lie outside this process's memory, as on a device */
export function countedEngine(engine: Engine, elsewhere = false) {
  const living = { programs: 0, variables: 0 };
  const once = (undo: () => void) => {
    let isDone = false;
    return () => {
      if (!isDone) undo();
      isDone = true;
    };
  };
  const counted: Engine = Object.create(engine, {
    compile: {
      async value(...request: Parameters<Engine['compile']>) {
        const program = await engine.compile(...request);
        living.programs++;
        const ended = once(() => living.programs--);
        return {
          run: program.run.bind(program),
          async dispose() {
            await program.dispose();
            ended();
          },
        };
      },
    },
    variables: {
      value(sizes: readonly number[]): VariableSet {
        const made = engine.variables(sizes);
        living.variables += sizes.length;
        const ended = once(() => {
          living.variables -= sizes.length;
        });
        return {
          variables: made.variables,
          pieces: made.pieces.bind(made),
          ...(!elsewhere && made.memory !== undefined && { memory: made.memory }),
          dispose() {
            made.dispose();
            ended();
          },
        };
      },
    },
  });
  return { engine: counted, living };
}
