/** What a subcommand is, and how its command line is read. */
import yargs from 'yargs';
import { BenchError, nearestName } from '../errors.js';
import { offer } from '../offered.js';
import { printable } from '../printable.js';
import { useStore } from '../store/remote/address.js';

export interface Option {
  /** `texts` may be given several times. */
  type: 'text' | 'texts' | 'switch';
  describe: string;
  required?: true;
}

/** Values by option name, those that were not given left out. */
export type Values = Readonly<Record<string, string | readonly string[] | boolean | undefined>>;

/**
 * Writes to stdout: text for people, or data, which a program reads byte by byte where stdout is no terminal. What a terminal
 * would take for orders never reaches one.
 */
export type Print = (text: string, kind?: 'text' | 'data') => void;

export interface Command {
  /** What follows `bench NAME`. */
  usage: string;
  /** One paragraph for `--help`. */
  description: string;
  options: Readonly<Record<string, Option>>;
  /** Largest number of arguments that are no options; 0 where absent. */
  maxArguments?: number;
  /** Command lines to paste, with what they do. */
  examples: readonly (readonly [commandLine: string, what: string])[];
  /**
   * @param print writes results; progress goes to stderr by itself
   * @returns the exit code
   */
  run(values: Values, positionals: readonly string[], print: Print): Promise<number>;
}

/**
 * Reads the command line and runs the command.
 * @returns the exit code
 * @throws BenchError USAGE that names everything that is wrong with the command line
 */
export async function execute(
  name: string,
  command: Command,
  argv: readonly string[],
  write: (text: string) => void = (text) => void process.stdout.write(text),
): Promise<number> {
  const print: Print = (text, kind = 'text') =>
    write(kind === 'data' && process.stdout.isTTY !== true ? text : printable(text));
  const hint = `'bench ${name} --help' shows the options.`;
  const parser = yargs([...argv])
    .scriptName(`bench ${name}`)
    .usage(`bench ${name} ${command.usage}\n\n${command.description}`)
    .parserConfiguration({
      'boolean-negation': false,
      'camel-case-expansion': false,
      'dot-notation': false,
      'greedy-arrays': false,
      'parse-numbers': false,
      'parse-positional-numbers': false,
      'short-option-groups': false,
    })
    .option('help', { alias: 'h', type: 'boolean', describe: 'show this' })
    .help(false)
    .version(false)
    .exitProcess(false)
    .wrap(Math.min(100, process.stdout.columns ?? 100))
    // Nothing of ours runs inside the parser: whatever fails there, the command line was wrong.
    .fail((message, error) => {
      throw new BenchError('USAGE', `${message ?? error?.message}.`, { hint, cause: error });
    });
  for (const [option, { type, describe, required }] of Object.entries(command.options)) {
    const text = required === true ? `${describe} (required)` : describe;
    if (type === 'switch') parser.option(option, { type: 'boolean', describe: text });
    else
      parser.option(option, { type: 'string', array: type === 'texts', requiresArg: true, describe: text });
  }
  // Not by yargs's own examples, which break command lines in two where they are long.
  const examples = command.examples.map(([commandLine, what]) => `  ${commandLine}\n      ${what}\n`);
  parser.epilogue(`Examples:\n${examples.join('')}`.trimEnd());

  const { _: positionals, $0: _script, h: _alias, help, ...given } = await parser.parse();
  if (help === true) {
    print(`${await parser.getHelp()}\n`);
    return 0;
  }
  const values = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  const problems = [...mistakes(command, values), ...surplus(command, positionals.map(String))];
  if (problems.length > 0) throw new BenchError('USAGE', problems.join('\n  '), { hint });
  offer(Object.keys(command.options));
  if (typeof values.store === 'string') useStore(values.store);
  return command.run(values as Values, positionals.map(String), print);
}

function mistakes({ options }: Command, values: Readonly<Record<string, unknown>>): string[] {
  const problems: string[] = [];
  for (const [name, value] of Object.entries(values)) {
    const option = Object.hasOwn(options, name) ? options[name] : undefined;
    const flag = `${name.length === 1 ? '-' : '--'}${name}`;
    if (option === undefined) {
      const near = nearestName(name, Object.keys(options));
      problems.push(`There is no option ${flag}.${near === undefined ? '' : ` Did you mean --${near}?`}`);
    } else if (Array.isArray(value) && option.type !== 'texts') {
      problems.push(`${flag} was given ${value.length} times.`);
    } else if (value === '') {
      problems.push(`${flag} needs a value.`);
    }
  }
  for (const [name, { required, describe }] of Object.entries(options)) {
    if (required === true && values[name] === undefined) problems.push(`--${name} is missing: ${describe}.`);
  }
  return problems;
}

function surplus({ maxArguments = 0 }: Command, positionals: readonly string[]): string[] {
  return positionals.slice(maxArguments).map((argument) => `'${argument}' is not expected here.`);
}

/** The values of a comma list, each once. @throws BenchError USAGE where one is empty */
export function splitList(flag: string, text: string): string[] {
  const items = text.split(',').map((item) => item.trim());
  if (items.includes('')) {
    throw new BenchError('USAGE', `--${flag} ${text} has an empty name in its list.`, {
      hint: `Separate names by commas without spaces: --${flag} A,B`,
    });
  }
  return [...new Set(items)];
}
