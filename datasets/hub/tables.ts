/** Rows of a table of the hub, in Parquet or in JSON lines: the columns that are needed, under the names they have. */
import { BenchError } from '../../harness/errors.js';
import { jsonLines, stringMember } from '../../harness/interchange/json-lines.js';
import { type ParquetColumn, ParquetFile } from '../../harness/interchange/parquet-file.js';

const code = 'DATA_INVALID';

/** A column that is wanted. */
export interface Wanted {
  /** What publishers call it; the first that is there is taken. */
  names: readonly string[];
  /** `id`: a text, or a whole number of Parquet, which has all of its digits; `grade`: a whole number. */
  kind: 'id' | 'text' | 'grade';
  /** Taken where the table has no such column, or the row no value; where absent, such a table is refused. */
  missing?: string;
}

export interface TableRow {
  /** In the file: `row 7` */
  where: string;
  /** In the order of the columns that are wanted. */
  values: readonly string[];
}

/** @throws BenchError DATA_INVALID with the file, and the row, where it lacks what is wanted */
export async function* tableRows(file: string, wanted: readonly Wanted[]): AsyncGenerator<TableRow> {
  if (file.endsWith('.parquet')) yield* parquetRows(file, wanted);
  else if (/\.jsonl(\.gz)?$/.test(file)) yield* jsonRows(file, wanted);
  else throw new BenchError(code, `${file} is neither Parquet nor JSON lines.`);
}

const kindsOf = { id: ['text', 'whole'], text: ['text'], grade: ['whole', 'number'] } as const;

async function* parquetRows(file: string, wanted: readonly Wanted[]): AsyncGenerator<TableRow> {
  const table = await ParquetFile.open(file, code);
  try {
    const columns = wanted.map((each) => columnOf(file, table.columns, each));
    const names = columns.filter((column) => column !== undefined);
    for await (const { row, values } of table.rows(names)) {
      const where = `row ${row}`;
      const place = `${file}, ${where}`;
      let next = 0;
      yield {
        where,
        values: wanted.map((each, i) => {
          const column = columns[i];
          const value = column === undefined ? null : values[next++]!;
          if (value === null) return missingValue(each, place, column);
          return each.kind === 'grade' ? grade(value, place, column!) : String(value);
        }),
      };
    }
  } finally {
    await table.close();
  }
}

/** @throws BenchError DATA_INVALID where the table has none of its names, or holds something else under one */
function columnOf(file: string, columns: readonly ParquetColumn[], wanted: Wanted): string | undefined {
  const { names, kind, missing } = wanted;
  const found = names
    .map((name) => columns.find((column) => column.name === name))
    .find((each) => each !== undefined);
  if (found === undefined && missing !== undefined) return undefined;
  const has = columns.map(({ name, type }) => `${name} (${type})`).join(', ') || 'nothing';
  if (found === undefined)
    throw new BenchError(code, `${file} has no column ${names.join(' or ')}. It has: ${has}.`, { hint });
  if ((kindsOf[kind] as readonly string[]).includes(found.kind)) return found.name;
  throw new BenchError(code, `${file}: column ${found.name} holds ${found.type}, and ${kind} is needed.`, {
    hint,
  });
}

const hint =
  'The tables of BEIR have _id, title and text (corpus), _id and text (queries), query-id, corpus-id and score (qrels).';

function missingValue({ missing }: Wanted, place: string, column: string | undefined): string {
  if (missing !== undefined) return missing;
  throw new BenchError(code, `${place}: ${column} is missing.`, { hint });
}

function grade(value: unknown, place: string, name: string): string {
  const number = Number(value);
  if (typeof value !== 'string' && Number.isSafeInteger(number)) return String(number);
  throw new BenchError(
    code,
    `${place}: ${name} is ${JSON.stringify(String(value)).slice(0, 40)}, not a whole number.`,
  );
}

async function* jsonRows(file: string, wanted: readonly Wanted[]): AsyncGenerator<TableRow> {
  for await (const row of jsonLines(file, code)) {
    const where = `line ${row.line}`;
    const place = `${file}, ${where}`;
    yield {
      where,
      values: wanted.map((each) => {
        const name = each.names.find((known) => Object.hasOwn(row.value, known)) ?? each.names[0]!;
        const value = row.value[name];
        if (each.kind !== 'grade') return stringMember(row, name, file, code, each.missing);
        return value === undefined || value === null
          ? missingValue(each, place, name)
          : grade(value, place, name);
      }),
    };
  }
}
