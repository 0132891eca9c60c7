/** `npm run perf -- NAME`: comparisons of speed, each a ratio of two things measured side by side in one run. */
import { readdirSync } from 'node:fs';

const folder = new URL('./perf/', import.meta.url);
const names = readdirSync(folder)
  .filter((file) => /^perf-.*\.js$/.test(file))
  .map((file) => file.slice('perf-'.length, -'.js'.length));

const [name, ...rest] = process.argv.slice(2);
if (name === undefined || !names.includes(name)) {
  console.error(`usage: npm run perf -- ${names.join('|')}`);
  process.exitCode = 2;
} else {
  const module = (await import(new URL(`perf-${name}.js`, folder).href)) as {
    default(args: readonly string[]): Promise<void>;
  };
  await module.default(rest);
}
