/** What systems cost in money, by prices that the user gives. */
import type { Prices, ReportCell, ReportPrices } from '../contracts.js';
import { bootstrapStatistic } from '../statistics/bootstrap.js';
import { mean, standardDeviation } from '../statistics/summary.js';
import { hasGivenHits } from './given-hits.js';
import { samplesOf } from './latency.js';
import type { System } from './systems.js';

const bytesOfGb = 1e9;
const msOfHour = 3_600_000;
const million = 1e6;

/**
 * A row for each system. A million queries: the mean time of a query, from text to hits, times the threads that it was
 * given, as so many virtual processors are held while it is answered; the interval is a bootstrap over the samples.
 * A month: the index kept on disk, and the queries of a month where the prices say how many there are.
 * What was not measured has no price, and the row says what is missing.
 */
export function pricesOf(systems: readonly System[], prices: Prices): ReportPrices {
  return {
    currency: prices.currency,
    ...(prices.queriesPerMonth !== undefined && { queriesPerMonth: prices.queriesPerMonth }),
    systems: systems.map((system) => {
      if (hasGivenHits(system)) return { system: system.name, missing: 'hits of it were made elsewhere' };
      const query = queryPrice(system, prices);
      const index = indexPrice(system, prices);
      const month = monthPrice(index, query, prices.queriesPerMonth);
      const missing = [
        ...(typeof query === 'string' ? [query] : []),
        ...(index === undefined ? ['the index was not measured'] : []),
      ];
      return {
        system: system.name,
        ...(typeof query !== 'string' && { millionQueries: scaled(query, million) }),
        ...(month && { month }),
        ...(missing.length > 0 && { missing: missing.join('; ') }),
      };
    }),
  };
}

/** Of one query; in words why there is none. */
function queryPrice(system: System, { vcpuHour }: Prices): ReportCell | string {
  const devices = [...new Set(system.runs.map(({ record }) => record.device.device ?? 'cpu'))];
  const other = devices.find((device) => device !== 'cpu');
  if (other !== undefined) return `it ran on ${other}, which the prices do not name`;
  const threads = [...new Set(system.runs.map(({ record }) => record.device.threads))];
  const [count] = threads;
  if (threads.length > 1) return `its runs had other threads (${threads.join(', ')})`;
  if (count === null || count === undefined) return 'its threads are not known';
  const samples = samplesOf(system, 'total');
  if (samples === undefined) return 'its latency was not measured, or on several devices';
  const perMs = (count * vcpuHour) / msOfHour;
  if (samples.length < 2) return { value: perMs * samples[0]! };
  const { estimate, interval } = bootstrapStatistic(samples, 'mean');
  return scaled({ value: estimate, interval: { low: interval.low, high: interval.high } }, perMs);
}

/** Of the index for a month. */
function indexPrice({ runs }: System, { gbMonth }: Prices): ReportCell | undefined {
  const bytes = runs.map(({ record }) => record.index?.sizeBytes.total);
  if (bytes.includes(undefined)) return undefined;
  const values = bytes.map((size) => (size! / bytesOfGb) * gbMonth);
  const deviation = standardDeviation(values);
  return { value: mean(values), ...(deviation !== undefined && { deviation }) };
}

function monthPrice(
  index: ReportCell | undefined,
  query: ReportCell | string,
  queries: number | undefined,
): ReportCell | undefined {
  if (index === undefined || queries === undefined) return index;
  if (typeof query === 'string') return undefined;
  const { value, interval } = scaled(query, queries);
  return {
    value: index.value + value,
    ...(interval && { interval: { low: index.value + interval.low, high: index.value + interval.high } }),
  };
}

function scaled({ value, interval }: ReportCell, by: number): ReportCell {
  return {
    value: by * value,
    ...(interval && { interval: { low: by * interval.low, high: by * interval.high } }),
  };
}
