// Mistakes that never come to a test: the compiler, or lint's rule on promises, refuses them in the source.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { misusedPromises, openProgram } from '../promises.mjs';

/** Who forgets what used a name forgets to declare or to import it, too. */
const unused = new Set([6133, 6138, 6192, 6196, 6198, 6199, 6205]);

export class Compiler {
  #root;
  #opened;
  /** What the compiler reads in place of a file: { file, text }. */
  #changed;

  /** @param root of the checkout, whose sources stay as they are */
  constructor(root) {
    this.#root = root;
  }

  /**
   * What a mutant is refused for.
   * @param mutant with `at`: where its source has the text that is replaced; undefined where the compiler made that text
   * @returns undefined where nothing is wrong with it
   */
  refusal({ source, at, start, end, text }) {
    if (at === undefined) return undefined;
    const file = path.join(this.#root, source);
    const before = readFileSync(file, 'utf8');
    // The compiler takes no lone semicolon for the body of an if.
    const there = text === ';' ? '{}' : text;
    return this.#objection(file, before.slice(0, at) + there + before.slice(at + end - start));
  }

  #objection(file, text) {
    this.#opened ??= openProgram(this.#root, {
      fs: { readFile: (name) => (name === this.#changed?.file ? this.#changed.text : undefined) },
    });
    this.#changed = { file, text };
    const { api, config } = this.#opened;
    const snapshot = api.updateSnapshot({ fileChanges: { changed: [file] } });
    try {
      const project = snapshot.getProject(config);
      const { program } = project;
      const errors = [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)];
      const error = errors.find(({ code }) => !unused.has(code));
      if (error !== undefined) return `TS${error.code}: ${error.text}`;
      return misusedPromises(project, file).map(({ why }) => `a promise, and ${why}`)[0];
    } finally {
      this.#changed = undefined;
      snapshot.dispose();
      api.updateSnapshot({ fileChanges: { changed: [file] } });
    }
  }

  close() {
    this.#opened?.api.close();
  }
}
