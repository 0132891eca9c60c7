// Which test files use a module, by what they import, those of its own room first.
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { importsOf } from '../module-graph.mjs';

/** Folders whose modules are imported by names that are found at run time: see harness/plugins.ts. */
const pluginFolders = ['architectures', 'datasets', 'reports'];
const finder = 'harness/plugins.js';
/** Tests that start the command as a program take its place from test/places.ts. */
const startsCommand = /import \{[^}]*\bcli\b[^}]*\} from '\.\/places\.js'/;
const command = 'harness/cli.js';

/** The room that a module belongs to: a folder in harness, or one of the others. */
export function roomOf(module) {
  const [top, second = ''] = module.split('/');
  return top === 'harness' ? second.replace(/\.js$/, '') : top;
}

/**
 * @param folder of a build
 * @returns { modules, testsOf }: every module that is no test, and for one of them the test files that reach it
 */
export function describeBuild(folder) {
  const names = readdirSync(folder, { recursive: true })
    .map((name) => name.split(path.sep).join('/'))
    .filter((name) => name.endsWith('.js'));
  const modules = names.filter((name) => !name.startsWith('test/')).sort();
  const graph = new Map(
    names.map((name) => {
      const { text, imports } = importsOf(folder, name);
      return [name, startsCommand.test(text) ? [...imports, command] : imports];
    }),
  );
  graph.get(finder)?.push(...modules.filter((name) => pluginFolders.includes(name.split('/')[0])));
  const tests = names.filter((name) => name.endsWith('.test.js')).sort();
  const steps = new Map(tests.map((test) => [test, stepsFrom(graph, test)]));
  return {
    modules,
    testsOf(module) {
      const room = roomOf(module);
      const rank = (test) => (path.basename(test).startsWith(`${room}-`) ? 0 : steps.get(test).get(module));
      return tests
        .filter((test) => steps.get(test).has(module))
        .sort((a, b) => rank(a) - rank(b) || steps.get(a).get(module) - steps.get(b).get(module));
    },
  };
}

/** How many imports lie between a module and each that it reaches. */
function stepsFrom(graph, from) {
  const steps = new Map([[from, 0]]);
  for (const [name, step] of steps)
    for (const next of graph.get(name) ?? []) if (!steps.has(next)) steps.set(next, step + 1);
  return steps;
}
