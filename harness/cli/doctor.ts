/** `bench doctor`: what this machine has, what is missing, what that costs, and the command that adds it. */
import { loadConfig } from '../config/config.js';
import { exitCodes } from '../errors.js';
import { jsonText } from '../json.js';
import type { Command } from './command.js';
import { type Check, checkDevices, checkEngines, checkMachine, checkSearchers } from './doctor/machine.js';
import { checkFolder, checkHosts, checkPrivacy, checkSharing, checkStore } from './doctor/places.js';
import { configOptions } from './options.js';

const marks = { ok: 'ok      ', absent: 'absent  ', failed: 'PROBLEM ' } as const;

export const command: Command = {
  usage: '[--online] [--json]',
  description:
    'Looks at this machine, and ends with what it is good for. What is absent can be done without; a problem cannot, and the exit code is then 3.',
  options: {
    online: { type: 'switch', describe: 'also try the hosts that checkpoints and datasets come from' },
    cache: configOptions.cache!,
    store: configOptions.store!,
    out: configOptions.out!,
    config: configOptions.config!,
    json: { type: 'switch', describe: 'print what was found as JSON' },
  },
  examples: [['bench doctor', 'before the first run']],
  async run(values, _positionals, print) {
    const file = values.config === undefined ? {} : { file: String(values.config) };
    const { cache, out } = loadConfig({ ...file, cwd: process.cwd(), flags: values });
    const checks: Check[] = [
      ...checkMachine(),
      ...(await checkEngines()),
      ...(await checkDevices()),
      ...(await checkSearchers()),
      await checkFolder('cache', cache),
      await checkFolder('out', out),
      await checkPrivacy(cache),
      await checkSharing(cache),
      ...(await checkStore()),
      ...(values.online === true ? await checkHosts() : []),
    ];
    const { verdicts } = await import('./doctor/verdict.js');
    checks.push(...(await verdicts(checks, cache)));
    print(values.json === true ? jsonText(checks) : checks.map(render).join(''));
    return checks.some(({ state }) => state === 'failed') ? exitCodes.UNAVAILABLE : 0;
  },
};

function render({ name, state, detail, without, remedy }: Check): string {
  const lines = [`${marks[state]}${name}: ${detail}`];
  if (without !== undefined) lines.push(`without it: ${without}`);
  if (remedy !== undefined) lines.push(`to add it: ${remedy}`);
  return `${lines.join(`\n${' '.repeat(10)}`)}\n`;
}
