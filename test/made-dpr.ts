/** A made-up set of questions in DPR's files: some without a positive passage, some without hard negatives. */
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { stream } from '../harness/random.js';

export interface MadeContext {
  title: string;
  text: string;
  passage_id: string;
}

export interface MadeQuestion {
  question: string;
  answers: string[];
  positive_ctxs: MadeContext[];
  negative_ctxs: MadeContext[];
  hard_negative_ctxs: MadeContext[];
}

/** 80 passages of 12 words, and questions of three words of one of them, of which two stand in the question. */
export function madeDpr() {
  const random = stream(1, 'dpr');
  const word = () => `w${Math.floor(120 * random.uniform() ** 1.5)}`;
  const passages = Array.from({ length: 80 }, (_, i): MadeContext => {
    const text = Array.from({ length: 12 }, word).join(' ');
    return { title: `t${i % 9}`, text, passage_id: String(i + 1) };
  });
  const holds = ({ text }: MadeContext, answer: string) => text.split(' ').includes(answer);
  const questions = (count: number) =>
    Array.from({ length: count }, (_, i): MadeQuestion => {
      const gold = random.choose(passages);
      const words = random.shuffle(gold.text.split(' '));
      const [answer, ...rest] = [words[0]!, words[1]!, words[2]!];
      const others = random.shuffle(passages.filter((passage) => !holds(passage, answer)));
      const second = passages.find((passage) => passage !== gold && holds(passage, answer));
      return {
        question: `${rest.join(' ')} ${word()} q${i}`,
        answers: [answer],
        // What the words of a search did not bring up has no positive.
        positive_ctxs: i % 4 === 1 ? [] : [gold, ...(second === undefined ? [] : [second])],
        negative_ctxs: i % 7 === 3 ? [] : others.slice(8, 12),
        hard_negative_ctxs: i % 7 < 5 && i % 7 !== 3 ? others.slice(0, i % 5 === 2 ? 1 : 6) : [],
      };
    });
  return { passages, train: questions(41), dev: questions(8), test: questions(5) };
}

/** Writes the folder of `dpr/nq`. */
export async function writeMadeDpr(folder: string): Promise<ReturnType<typeof madeDpr>> {
  const made = madeDpr();
  const rows = made.passages.map(({ passage_id, text, title }) => `${passage_id}\t${text}\t${title}\n`);
  const asked = made.test.map(({ question, answers }) => `${question}\t['${answers[0]}']\n`);
  await writeFile(path.join(folder, 'psgs_w100.tsv'), `id\ttext\ttitle\n${rows.join('')}`);
  await writeFile(path.join(folder, 'nq-test.qa.csv'), asked.join(''));
  await writeFile(path.join(folder, 'biencoder-nq-train.json'), JSON.stringify(made.train));
  await writeFile(path.join(folder, 'biencoder-nq-dev.json'), JSON.stringify(made.dev));
  return made;
}
