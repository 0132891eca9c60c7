// Where the mistakes of a built module stand, in the build and in the source.
import { readFileSync } from 'node:fs';
import { SourceMap } from 'node:module';
import path from 'node:path';
import { mutationsOf } from './mutations.mjs';

/**
 * @param root of the checkout
 * @param dist its build
 * @returns every mutation of a module by its place (see `mutationsOf`), with the module's `code`, the `source` it was made from, the
 *   `line` there, and `at`: where the source has the text that is replaced, undefined where it has another
 */
export function sitesOf(root, dist, module) {
  const code = readFileSync(path.join(dist, module), 'utf8');
  const map = new SourceMap(JSON.parse(readFileSync(path.join(dist, `${module}.map`), 'utf8')));
  const source = module.replace(/\.js$/, '.ts');
  const text = readFileSync(path.join(root, source), 'utf8');
  return mutationsOf(code).map((site) => {
    const [{ start, end }] = site;
    const before = code.slice(0, start).split('\n');
    const token = map.findEntry(before.length - 1, before.at(-1).length);
    const { originalLine = 0, originalColumn = 0, generatedColumn = 0 } = token;
    // From the nearest token before on, build and source have to say the same.
    const away = before.at(-1).length - generatedColumn;
    const from = lineStart(text, originalLine) + originalColumn;
    const at = text.startsWith(code.slice(start - away, end), from) ? from + away : undefined;
    return site.map((mutation) => ({ ...mutation, module, code, source, line: originalLine + 1, at }));
  });
}

const lineStart = (text, line) => text.split('\n', line).reduce((sum, { length }) => sum + length + 1, 0);
