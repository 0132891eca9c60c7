/** The folder of one child: inputs are laid there, and what a loader leaves beside them is seen. */
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Files } from './loader.js';

/** So many folders lie above an input's, so that a name with `../` leads to one of them. */
const above = ['1', '2', '3', '4', '5', '6'];

export class Scratch {
  readonly #root: string;
  readonly #work: string;
  /** What lies in the folders of the valid inputs, by their number. */
  readonly #laid = new Map<number, Files>();

  constructor(root: string) {
    this.#root = root;
    this.#work = path.join(root, ...above);
    mkdirSync(this.#work, { recursive: true });
  }

  /** Forgets the inputs of another loader. */
  clear(): void {
    for (const name of readdirSync(this.#work))
      rmSync(path.join(this.#work, name), { recursive: true, force: true });
    this.#laid.clear();
  }

  /** The folder of an input: only what differs from what lies there is written. */
  lay(base: number, files: Files, anew: boolean): string {
    const folder = path.join(this.#work, String(base));
    const laid = anew ? undefined : this.#laid.get(base);
    if (laid === undefined) {
      rmSync(folder, { recursive: true, force: true });
      mkdirSync(folder, { recursive: true });
    }
    for (const name of Object.keys(laid ?? {}))
      if (!(name in files)) rmSync(path.join(folder, name), { force: true });
    for (const [name, bytes] of Object.entries(files)) {
      if (laid?.[name] === bytes) continue;
      if (name.includes('/')) mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
      writeFileSync(path.join(folder, name), bytes);
    }
    this.#laid.set(base, files);
    return folder;
  }

  /** What lies where it should not; undefined where all is as it was. @param strict files beside the input's count too */
  strayed(base: number, strict: boolean): string | undefined {
    let folder = this.#root;
    for (const name of above) {
      const found = readdirSync(folder);
      if (found.length !== 1 || found[0] !== name) return `${folder} holds ${found.join(', ')}`;
      folder = path.join(folder, name);
    }
    const others = readdirSync(this.#work).filter((name) => !/^\d+$/.test(name));
    if (others.length > 0) return `${this.#work} holds ${others.join(', ')}`;
    if (!strict) return undefined;
    const expected = new Set(Object.keys(this.#laid.get(base) ?? {}));
    const found = readdirSync(path.join(this.#work, String(base)), { recursive: true, withFileTypes: true })
      .filter((entry) => !entry.isDirectory())
      .map((entry) =>
        path.relative(path.join(this.#work, String(base)), path.join(entry.parentPath, entry.name)),
      );
    const strays = found.filter((name) => !expected.has(name));
    return strays.length === 0 ? undefined : `${strays.join(', ')} was written`;
  }
}
