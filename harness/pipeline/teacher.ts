/** The teacher of a training: the file of its scores, and what is made of them. */
import { stat } from 'node:fs/promises';
import type { TrainConfig } from '../config/config.js';
import type { DataFile } from '../contracts.js';
import { BenchError } from '../errors.js';
import { readTeacherScores } from '../interchange/teacher-scores.js';
import { codeOf } from '../program/code.js';
import type { Known } from '../stages/known.js';
import { describeFile } from '../store/hash-once.js';
import type { TeacherSource } from '../train/taught-pairs.js';

export interface ChosenTeacher {
  /** What tells it from others. */
  identity: object;
  /** Its file; absent where it is not looked at yet. */
  file?: DataFile;
  source: TeacherSource;
}

/** @throws BenchError PATH_INVALID, CONFIG_INVALID for a file that cannot be one of scores */
export async function chooseTeacher(
  { teacher }: TrainConfig,
  { told }: Pick<Known, 'told'>,
): Promise<ChosenTeacher | undefined> {
  const { scores: name, missing, temperature, ...rest } = teacher;
  if (name === null) return undefined;
  const source: TeacherSource = { name, missing, read: (take) => readTeacherScores(name, take) };
  const asked = { ...rest, missing, ...(teacher.loss === 'kl' && { temperature }) };
  if (told === undefined) return { identity: { ...asked, name }, source };
  await assertTeacher({ teacher });
  const file = await describeFile(name);
  const code = codeOf(['harness/interchange/teacher-scores.js']);
  return { identity: { ...asked, sha256: file.sha256, code }, file, source };
}

/** What can be known of the file before the dataset is open. */
export async function assertTeacher({ teacher: { scores } }: Pick<TrainConfig, 'teacher'>): Promise<void> {
  if (scores === null) return;
  const refused = (code: 'CONFIG_INVALID' | 'PATH_INVALID', what: string) =>
    new BenchError(code, `train.teacher.scores=${scores} cannot be used: ${what}.`, {
      hint: 'Give lines of query<TAB>passage<TAB>score, or a run in the format of TREC, packed or not.',
    });
  if (/\.(pkl|pickle)(\.gz)?$/i.test(scores))
    throw refused('CONFIG_INVALID', 'pickles are not read, for reading one runs code');
  const found = await stat(scores).catch(() => undefined);
  if (found?.isFile() !== true)
    throw refused('PATH_INVALID', found === undefined ? 'there is no such file' : 'it is not a file');
}
