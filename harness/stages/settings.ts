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
  latency: 'measured anew for every record',
  measures: 'measured anew for every record',
  check: 'judges records',
};
