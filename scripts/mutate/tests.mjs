// Which test files use a module, by what they import, those of its own room first.
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { importsOf } from '../module-graph.mjs';

/** Folders whose modules are imported by names that are found at run time: see harness/plugins.ts. */
const pluginFolders = ['architectures', 'datasets', 'reports'];
const finder = 'harness/plugins.js';
/** All that stand in a folder, which is named by its place. */
const folderListed = /new URL\('(\.\.?\/[^']*\w\/)', import\.meta\.url\)/g;
/** Tests that start the command as a program take its place from test/places.ts. */
const startsCommand = /import \{[^}]*\bcli\b[^}]*\} from '\.\/places\.js'/;
const command = 'harness/cli.js';

/** Rooms whose tests have the name of the command that shows what they do. */
const testedAs = { regression: 'check', reports: 'report' };

/** The room that a module belongs to: a folder in harness, or one of the others. */
export function roomOf(module) {
  const [top, second = ''] = module.split('/');
  return top === 'harness' ? second.replace(/\.js$/, '') : top;
}

/**
 * @param folder of a build
 * @returns { modules, testsOf }: every module that is no test, and for one of them the test files that reach it, how many
 *   imports lie between, and whether they are of its room
 */
export function describeBuild(folder) {
  const names = readdirSync(folder, { recursive: true })
    .map((name) => name.split(path.sep).join('/'))
    .filter((name) => name.endsWith('.js'));
  const modules = names.filter((name) => !name.startsWith('test/')).sort();
  const graph = new Map(
    names.map((name) => {
      const { text, imports } = importsOf(folder, name);
      const listed = [...text.matchAll(folderListed)].flatMap(([, place]) => {
        const listedFolder = path.posix.join(path.posix.dirname(name), place);
        return modules.filter((module) => module.startsWith(listedFolder));
      });
      return [name, [...imports, ...listed, ...(startsCommand.test(text) ? [command] : [])]];
    }),
  );
  graph.get(finder)?.push(...modules.filter((name) => pluginFolders.includes(name.split('/')[0])));
  const tests = names.filter((name) => name.endsWith('.test.js')).sort();
  const steps = new Map(tests.map((test) => [test, stepsFrom(graph, test)]));
  return {
    modules,
    testsOf(module) {
      const room = roomOf(module);
      const names = [room, testedAs[room] ?? room];
      return (
        tests
          .map((test) => {
            const away = steps.get(test).get(module) ?? Infinity;
            return { test, away, isOwn: names.some((name) => path.basename(test).startsWith(`${name}-`)) };
          })
          // Tests find modules by their names, too; what they ran tells.
          .filter(({ away, isOwn }) => isOwn || away < Infinity)
          .sort((a, b) => Number(b.isOwn) - Number(a.isOwn) || (a.away === b.away ? 0 : a.away - b.away))
      );
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
