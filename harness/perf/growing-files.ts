/**
 * Files of any size for each reader of files, of the shapes that made one slow: long rows, lines, strings and elements, and
 * beginnings without an end. What is read of them may be refused; what counts is what it costs.
 */
import { blocksOf, contentOf, plain } from '../../datasets/trec/tagged.js';
import { dprQuestions } from '../interchange/dpr-training.js';
import { jsonLines } from '../interchange/json-lines.js';
import { readNegatives } from '../interchange/negatives.js';
import { parsePythonStrings } from '../interchange/python-list.js';
import { readQrels } from '../interchange/qrels.js';
import { quotedRows } from '../interchange/quoted-columns.js';
import { readRunFile } from '../interchange/run-file.js';

export interface GrowingFile {
  name: string;
  /** What the file begins with, what is repeated until it has its size, and what it ends with. */
  content: readonly [start: string, repeated: string | ((i: number) => string), end: string];
  /** Reads all of it, or as far as it is taken. */
  read(file: string): Promise<unknown>;
}

const code = 'DATA_INVALID';

async function drain(parts: AsyncIterable<unknown>): Promise<number> {
  let count = 0;
  for await (const _ of parts) count++;
  return count;
}

async function documents(file: string): Promise<number> {
  let length = 0;
  for await (const { content } of blocksOf(file, 'doc'))
    length += plain(contentOf(content, 'title|text') ?? content).length;
  return length;
}

async function lists(file: string): Promise<number> {
  let count = 0;
  for await (const { columns } of quotedRows(file, code))
    count += parsePythonStrings(columns[1] ?? '[]').length;
  return count;
}

const rows = (file: string) => drain(quotedRows(file, code));
const blank = ' '.repeat(1 << 16);

export const growingFiles: readonly GrowingFile[] = [
  { name: 'rows, one of quoted columns with line ends', content: ['1\t', '"a\nb"\t', '"c"\n'], read: rows },
  { name: 'rows, one quoted column', content: ['1\t"', 'some ""words""\n', '"\n'], read: rows },
  { name: 'rows, one line of quoted columns', content: ['1', '\t"a ""b"""', '\n'], read: rows },
  { name: 'rows, short', content: ['', (i) => `${i}\t"text, ""quoted"" ${i}"\ttitle\n`, ''], read: rows },
  { name: 'python list, one string', content: ["q\t['", 'word \\\\x41', "']\n"], read: lists },
  { name: 'python list, many strings', content: ['q\t[', '\'a\' "b", ', ']\n'], read: lists },
  { name: 'run of TREC', content: ['', (i) => `q${i >> 7} Q0 p${i} 1 ${-i} t\n`, ''], read: readRunFile },
  { name: 'run of one line', content: ['q Q0 p 1 1 t', ' and so on', '\n'], read: readRunFile },
  { name: 'run of blank lines', content: ['q Q0 p 1 1 t\n', ' \n', ''], read: readRunFile },
  { name: 'run of white space', content: ['', blank, ''], read: readRunFile },
  { name: 'run in JSON, one string', content: ['["', 'a\\"'.repeat(100), '"]'], read: readRunFile },
  {
    name: 'run in JSON, an element without end',
    content: ['[{"ctxs": [', '1, [2], ', ''],
    read: readRunFile,
  },
  { name: 'run in JSON, white space', content: ['[', blank, ']'], read: readRunFile },
  {
    name: 'run of BEIR, one query',
    content: ['{"q": {"a": 1.5', (i) => `, "p${i}": ${-i}.5`, '}}'],
    read: readRunFile,
  },
  {
    name: 'run of BEIR, many queries',
    content: ['{"a": {"a": 1.5}', (i) => `, "q${i}": {"a": 1, "b": 0.5}`, '}'],
    read: readRunFile,
  },
  {
    name: 'training file of DPR',
    content: [
      '[',
      (i) =>
        `${i === 0 ? '' : ','}{"question": "q${i}", "answers": [], "positive_ctxs": [{"title": "t", "text": "${'words '.repeat(100)}", "passage_id": "1"}], "hard_negative_ctxs": []}`,
      ']',
    ],
    read: (file) => drain(dprQuestions(file)),
  },
  {
    name: 'JSON lines',
    content: ['', (i) => `{"_id": "${i}", "text": "${'words '.repeat(20)}"}\n`, ''],
    read: (file) => drain(jsonLines(file, code)),
  },
  {
    name: 'JSON lines, one',
    content: ['{"text": "', 'words \\n', '"}\n'],
    read: (file) => drain(jsonLines(file, code)),
  },
  { name: 'qrels', content: ['', (i) => `q${i >> 3} 0 p${i} 1\n`, ''], read: readQrels },
  { name: 'negatives, one line', content: ['q\tp', (i) => `,p${i}`, '\n'], read: readNegatives },
  {
    name: 'negatives, one line of escaped ids',
    content: ['q\tp', (i) => `,p%2C${i}`, '\n'],
    read: readNegatives,
  },
  {
    name: 'documents',
    content: ['', (i) => `<DOC><DOCNO>${i}</DOCNO><TEXT>some words</TEXT></DOC>\n`, ''],
    read: documents,
  },
  { name: 'documents, tags without end in a line', content: ['', '<doc ', '\n'], read: documents },
  { name: 'documents, one of many lines', content: ['<doc>', 'two words\n', '</doc>\n'], read: documents },
  { name: 'documents, a tag over many lines', content: ['<doc', ' a="b"\n', ''], read: documents },
  {
    name: 'document of elements without end',
    content: ['<doc>', '<title><text a>', '</doc>'],
    read: documents,
  },
  { name: 'document of comments without end', content: ['<doc>', '<!--', '</doc>'], read: documents },
];
