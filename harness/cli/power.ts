/** `bench power`: what a set of queries can show. */
import { BenchError } from '../errors.js';
import { jsonText } from '../json.js';
import { readRecords } from '../record.js';
import type { PairedSpread } from '../statistics/power.js';
import type { Command, Values } from './command.js';
import { type PowerQuestion, powerTable, powerTableOfRecords } from './power-text.js';
import { decimal, measuresIn, wholeNumber } from './request.js';

const usualPower = 0.8;
/** The level at which reports mark a difference. */
const level = 0.05;

export const command: Command = {
  usage: '[RECORD...] [--difference D] [--power P] [--tests N] [options]',
  description:
    'Says which is the smallest true difference that a set of queries shows with a chance of 80 %, and with --difference how likely these queries show that one and how many it needs. How much two systems differ query by query is taken from run records, as bench compare pairs them, or assumed: --deviation of the differences of a graded measure (paired t-test), or --changed, the share of the queries that one of two answers and the other does not (McNemar). It speaks of other queries like these; what another training would change is not in it.',
  options: {
    difference: {
      type: 'text',
      describe: 'the difference that is to be shown, in the unit of the measure: 0.01',
    },
    power: { type: 'text', describe: `chance to find it; ${usualPower} where absent` },
    tests: {
      type: 'text',
      describe: `tests that are corrected together: the level of one is ${level} over their number; 1 where absent`,
    },
    measure: { type: 'text', describe: 'measures of the records; all where absent' },
    baseline: { type: 'text', describe: 'system that the others are paired with; the first where absent' },
    'common-seeds': { type: 'switch', describe: 'pair the seeds that both systems have where they differ' },
    queries: {
      type: 'text',
      describe: 'number of queries; with records, instead of the number that they have',
    },
    deviation: {
      type: 'text',
      describe:
        'without records: standard deviation of the differences, query by query (0.3 is usual of nDCG)',
    },
    changed: {
      type: 'text',
      describe: 'without records: share of the queries that one system answers alone',
    },
    json: { type: 'switch', describe: 'print as JSON' },
  },
  maxArguments: Number.POSITIVE_INFINITY,
  examples: [
    ['bench power results/a.record.json results/b.record.json', 'what the queries of two runs can show'],
    ['bench power results --measure ndcg@10 --difference 0.01 --tests 27', 'how many queries a point needs'],
    ['bench power --deviation 0.3 --queries 50', 'before anything is judged: fifty queries'],
    ['bench power --changed 0.1 --difference 0.02', 'top-k accuracy, two points'],
  ],
  async run(values, targets, print) {
    const question = questionOf(values);
    const { difference, power, tests } = question;
    const request = {
      ...{ power, alpha: level / tests },
      ...(difference !== undefined && { difference }),
    };
    const queries = wholeNumber(values, 'queries');
    const { powerOfQueries, powerOfRecords } = await import('../comparison.js');
    if (targets.length === 0) {
      const found = powerOfQueries(assumedSpread(values, question), queriesOf(queries, question), request);
      print(values.json === true ? jsonText(found) : powerTable(found, question));
      return 0;
    }
    refuseAssumptions(values);
    const records = await readRecords(targets);
    const found = powerOfRecords(records, {
      ...request,
      ...(queries !== undefined && { queries }),
      ...(values.baseline !== undefined && { baseline: String(values.baseline) }),
      ...(values.measure !== undefined && {
        measures: measuresIn('measure', String(values.measure), records),
      }),
      commonSeeds: values['common-seeds'] === true,
    });
    print(values.json === true ? jsonText(found) : powerTableOfRecords(found, question));
    return 0;
  },
};

function questionOf(values: Values): PowerQuestion {
  const difference = decimal(values, 'difference');
  return {
    ...(difference !== undefined && { difference }),
    power: decimal(values, 'power') ?? usualPower,
    tests: wholeNumber(values, 'tests') ?? 1,
    level,
  };
}

/** @throws BenchError USAGE unless exactly one assumption is stated, under which the difference can be */
function assumedSpread(values: Values, { difference = 0 }: PowerQuestion): PairedSpread {
  const [deviation, discordant] = [decimal(values, 'deviation'), decimal(values, 'changed')];
  const given = Object.keys(values).filter((name) => ['measure', 'baseline', 'common-seeds'].includes(name));
  if (given.length > 0) {
    throw new BenchError('USAGE', `--${given.join(', --')} can only be given with run records.`);
  }
  if (deviation !== undefined && discordant === undefined) return { test: 'paired t', deviation };
  if (discordant !== undefined && deviation === undefined) {
    if (Math.abs(difference) <= discordant) return { test: 'McNemar exact', discordant };
    throw new BenchError(
      'USAGE',
      `--difference ${difference} is more than --changed ${discordant} leaves room for.`,
      {
        hint: 'At least as many queries change as one system answers more: give a larger share or a smaller difference.',
      },
    );
  }
  const seen = deviation === undefined ? 'neither was given' : 'both were given';
  throw new BenchError(
    'USAGE',
    `Without run records bench power needs --deviation or --changed, and ${seen}.`,
    {
      hint: "Name records of two systems, or assume how much two differ: 'bench power --help' has examples.",
    },
  );
}

/** Of no queries nothing can be said, but how many are needed. */
function queriesOf(queries: number | undefined, { difference }: PowerQuestion): number | undefined {
  if (queries !== undefined || difference !== undefined) return queries;
  throw new BenchError('USAGE', 'Without run records bench power needs --queries, --difference or both.', {
    hint: '--queries asks what so many can show, --difference how many it needs.',
  });
}

function refuseAssumptions(values: Values): void {
  const given = ['deviation', 'changed'].filter((name) => values[name] !== undefined);
  if (given.length === 0) return;
  throw new BenchError('USAGE', `--${given.join(', --')} cannot be given with run records.`, {
    hint: 'How much two systems differ is taken from the records.',
  });
}
