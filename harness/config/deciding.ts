/**
 * What settings decide. Whoever has to know which of them make another system, or are a machine's own affair, asks here; a setting that
 * is not named decides what is found.
 */

/** Settings that are in no stage's inputs, each with the reason: a setting that is in neither place fails a test. */
export const inNoStage: Readonly<Record<string, string>> = {
  preset: 'what it comes to stands in the other settings',
  stages: 'how many trainings there are is which stages there are',
  seeds: 'a request has one of them, which is in the inputs',
  cache: 'where artifacts lie',
  out: 'where records lie',
  keep: 'what of the artifacts goes afterwards',
  threads: 'the same bytes at any number of them',
  unpack: 'refuses an archive, and changes nothing of one that it lets through',
  'train.saveEverySteps': 'a training that goes on from a state gives the bytes of one that was not stopped',
  'endpoint.batchSize': 'how a server is asked, whatever it computes',
  'endpoint.concurrency': 'how a server is asked, whatever it computes',
  'endpoint.requestsPerMinute': 'how a server is asked, whatever it computes',
  'endpoint.retries': 'how a server is asked, whatever it computes',
  'endpoint.timeoutSeconds': 'how a server is asked, whatever it computes',
  latency: 'measured anew for every record',
  answering: 'measured anew for every record',
  measures: 'measured anew for every record',
  check: 'judges records',
};

/** Settings that say how far a machine goes at once: hits agree but for the last bits of their scores. */
const lastBits: readonly string[] = [
  'search.memoryMiB',
  'search.deviceMemoryMiB',
  'search.batchSize',
  'deviceMemoryMiB',
  'encode.shardPassages',
  'encode.batchTokens',
  'encode.memoryMiB',
];

/** Settings that say what computes: hits agree as closely, and a reader wants to know it all the same. */
const whatComputes: readonly string[] = ['engine', 'device', 'searcher'];

/** Of the settings that are in no stage's inputs, those that say what is asked for. */
const asked: readonly string[] = ['preset', 'stages', 'seeds', 'measures'];

/** Whether a setting is among these, itself or with its section. */
const isOf = (names: readonly string[], key: string): boolean =>
  names.some((name) => key === name || key.startsWith(`${name}.`));

/** Whether a setting says how a machine does the work: whoever runs something as others ran it has a say of their own in these. */
export const isOfMachine = (key: string): boolean =>
  isOf([...lastBits, ...whatComputes], key) || (isOf(Object.keys(inNoStage), key) && !isOf(asked, key));

/** Whether systems that differ in a setting alone are other systems. `stages` says how often a model is trained. */
export const makesOtherSystem = (key: string): boolean =>
  key === 'stages' || !(isOf(lastBits, key) || isOf(Object.keys(inNoStage), key));
