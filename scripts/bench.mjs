#!/usr/bin/env node
// The command, in a checkout and in the package. It stands in git, so that it is there before anything is built: npm links it
// where `npx strata-bench` is called in a checkout, and where the link led to nothing, npm would keep it and fail ever after.
import { existsSync } from 'node:fs';

const program = new URL('../dist/harness/cli.js', import.meta.url);
if (existsSync(program)) await import(program.href);
else {
  process.stderr.write('bench: nothing is built here yet.\nhint: run npm ci first.\n');
  process.exitCode = 3;
}
