/** The run record: the one JSON file that a run leaves behind. What each field means stands in record.schema.json. */

export { type AnsweringFacts, answeringFigure, type Figure } from './record/answering-facts.js';
export { irMetadataOf, writeIrMetadata } from './record/ir-metadata.js';
export { describeMachine, type Surroundings } from './record/machine.js';
export { mtebFigures, mtebResultOf } from './record/mteb-result.js';
export {
  bareArchitecture,
  type Findings,
  newRecord,
  runElsewhere,
  writeRecord,
} from './record/new-record.js';
export { readRecord, readRecords, type StoredRecord } from './record/read.js';
export {
  type ArchitectureFacts,
  type ClosedLoadFacts,
  type ColdFacts,
  type CurveFacts,
  type CurvePoint,
  type DatasetFacts,
  type DeviceFacts,
  type DevWinnerFacts,
  type EpochFacts,
  type GitFacts,
  type IndexFacts,
  type LambdaTried,
  type LatencyFacts,
  type LatencyValues,
  type LoadFacts,
  type LoadValues,
  type MachineFacts,
  type MakingFacts,
  type MeasureValues,
  type ModelFacts,
  type OpenLoadFacts,
  type RunFile,
  type RunRecord,
  recordSchemaVersion,
  recordSuffix,
  runSuffix,
  type SplitCounts,
  type StageFacts,
  type ThroughputValues,
  type TrainingFacts,
  type TrainingStageFacts,
  type UsedFacts,
  type WinnerFacts,
} from './record/run-record.js';
export { withoutTimes } from './record/without-times.js';
