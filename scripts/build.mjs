// Builds into dist/. It is emptied first: plug-ins are found by file name, so a deleted one would live on.
import { spawnSync } from 'node:child_process';
import { chmodSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const dist = path.join(root, 'dist');
rmSync(dist, { recursive: true, force: true });
const typescript = path.dirname(createRequire(import.meta.url).resolve('typescript/package.json'));
const compiler = path.join(typescript, 'bin', 'tsc');
const { status } = spawnSync(process.execPath, [compiler, '-p', root], { stdio: 'inherit', cwd: root });
if (status !== 0) process.exit(status ?? 1);
chmodSync(path.join(dist, 'harness', 'cli.js'), 0o755);
