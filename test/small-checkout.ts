/** A copy of this checkout whose sources a test may edit and build: the packages are those of this one. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { writeMadeSquad } from './made-squad.js';
import { root } from './places.js';

const copied = [
  'harness',
  'architectures',
  'datasets',
  'reports',
  'scripts',
  'tsconfig.json',
  'package.json',
];

export class SmallCheckout {
  private constructor(readonly folder: string) {}

  /** Built, with a made-up collection in `data`. */
  static async make(): Promise<SmallCheckout> {
    const checkout = new SmallCheckout(await mkdtemp(path.join(tmpdir(), 'strata-checkout-')));
    for (const name of copied) await cp(path.join(root, name), checkout.at(name), { recursive: true });
    await symlink(path.join(root, 'node_modules'), checkout.at('node_modules'));
    await mkdir(checkout.at('data'));
    await writeMadeSquad(checkout.at('data'));
    checkout.build();
    return checkout;
  }

  at(...names: string[]): string {
    return path.join(this.folder, ...names);
  }

  get cli(): string {
    return this.at('dist', 'harness', 'cli.js');
  }

  /** @returns what was printed @throws where it does not end with the code expected */
  build(expected = 0): string {
    return this.run([this.at('scripts', 'build.mjs')], expected).stdout;
  }

  bench(argv: readonly string[], expected = 0): { stdout: string; stderr: string } {
    return this.run([this.cli, ...argv], expected);
  }

  /** Runs node there. */
  run(argv: readonly string[], expected = 0): { stdout: string; stderr: string } {
    const { status, stdout, stderr } = spawnSync(process.execPath, [...argv], {
      cwd: this.folder,
      encoding: 'utf8',
    });
    assert.equal(status, expected, `${argv.join(' ')}\n${stdout}\n${stderr}`);
    return { stdout, stderr };
  }

  /** Changes a source; what is to be replaced must be there. */
  async edit(name: string, from: string | RegExp, to: string): Promise<void> {
    const before = await readFile(this.at(name), 'utf8');
    const after = before.replace(from, to);
    assert.notEqual(after, before, `${name} holds no ${String(from)}`);
    await writeFile(this.at(name), after);
  }

  /** Makes a source what it is here again. */
  async restore(name: string): Promise<void> {
    await cp(path.join(root, name), this.at(name));
  }

  remove(): Promise<void> {
    return rm(this.folder, { recursive: true, force: true });
  }
}
