// `npm run results -- NAME` takes the figures of docs/results.md anew: it runs what docs/results/NAME.json names, and leaves beside it
//   NAME.md   every table of `bench report`, for those who want all of it
//   NAME.csv  the table of systems with its numbers in full
//   NAME.svg  the picture
// and in docs/results.md the table between the marks of NAME. `--draw` makes table and picture again from NAME.csv, and runs nothing.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { formatNumber } from '../dist/reports/format/numbers.js';
import { draw } from '../dist/reports/html/draw.js';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const folder = path.join(root, 'docs', 'results');
const page = path.join(root, 'docs', 'results.md');

function fail(message) {
  process.stderr.write(`results: ${message}\n`);
  process.exit(2);
}

function bench(...args) {
  const cli = path.join(root, 'scripts', 'bench.mjs');
  const { status } = spawnSync(process.execPath, [cli, ...args], { cwd: root, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}

/** Rows of a csv file with a header, by column; a text in quotes may hold commas and doubled quotes. */
function rowsOf(text) {
  const [header, ...lines] = text
    .trimEnd()
    .split('\n')
    .map((line) =>
      Array.from(line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g), ([, quoted, plain]) =>
        quoted === undefined ? plain : quoted.replaceAll('""', '"'),
      ),
    );
  return lines.map((cells) => Object.fromEntries(header.map((name, i) => [name, cells[i] ?? ''])));
}

/** How a number of this column is read. */
function unitOf(column) {
  if (column.endsWith('-bytes')) return 'bytes';
  if (column.endsWith('-ms')) return 'ms';
  return column === 'vectors-per-passage' ? 'count' : 'share';
}

function headingOf(column, names) {
  const unit = { bytes: '', ms: ' ms', share: ' %', count: '' }[unitOf(column)];
  return (names[column] ?? column) + unit;
}

function tableOf(rows, { columns, names = {} }) {
  const cell = (row, column) => {
    if ((row[column] ?? '') === '') return '–';
    const value = formatNumber(Number(row[column]), unitOf(column));
    const deviation = row[`${column} deviation`] ?? '';
    return deviation === '' ? value : `${value}±${formatNumber(Number(deviation), unitOf(column))}`;
  };
  return [
    ['system', ...columns.map((column) => headingOf(column, names))],
    ['---', ...columns.map(() => '---:')],
    ...rows.map((row) => [row.system, ...columns.map((column) => cell(row, column))]),
  ]
    .map((cells) => `| ${cells.join(' | ')} |\n`)
    .join('');
}

/** Two columns side by side, a line for each system in the order of the table: points keep apart where numbers are alike. */
async function pictureOf(rows, { picture: shown, names = {} }) {
  const panel = (column, first) => {
    const share = unitOf(column) === 'share';
    const scale = share ? 100 : 1;
    const values = rows
      .filter((row) => (row[column] ?? '') !== '')
      .map((row) => {
        const deviation = Number(row[`${column} deviation`] ?? 0);
        const value = Number(row[column]);
        const [low, high] = [value - deviation, value + deviation].map((end) => scale * end);
        return { system: row.system, value: scale * value, low, high };
      });
    const x = (field) => ({
      field,
      type: 'quantitative',
      title: headingOf(column, names),
      scale: share ? { zero: false, nice: true } : { type: 'log', nice: true },
    });
    const y = {
      field: 'system',
      type: 'nominal',
      sort: rows.map(({ system }) => system),
      title: null,
      scale: { domain: rows.map(({ system }) => system) },
      axis: { grid: true, labelFlush: false, ...(!first && { labels: false, ticks: false }) },
    };
    return {
      width: 260,
      height: { step: 18 },
      data: { values },
      layer: [
        { mark: { type: 'rule' }, encoding: { x: x('low'), x2: { field: 'high' }, y } },
        { mark: { type: 'point', filled: true, size: 45, opacity: 1 }, encoding: { x: x('value'), y } },
      ],
    };
  };
  const chart = { hconcat: shown.map((column, i) => panel(column, i === 0)) };
  const svg = await draw(chart, shown.map((column) => headingOf(column, names)).join(' and '));
  // In a page of its own the picture has no colours to take over.
  return svg.replace('<svg ', '<svg style="background:#fff;color:#222" ');
}

/** Puts a text between the marks of NAME in the page. */
function write(name, text) {
  const marks = new RegExp(`(<!-- ${name}: .*-->\n)[\\s\\S]*?(<!-- end of ${name} -->)`);
  const before = readFileSync(page, 'utf8');
  if (!marks.test(before)) fail(`docs/results.md has no marks of ${name}`);
  writeFileSync(
    page,
    before.replace(marks, (_, start, end) => `${start}\n${text}\n${end}`),
  );
}

const [name, ...options] = process.argv.slice(2);
const known = readdirSync(folder)
  .filter((file) => file.endsWith('.json'))
  .map((file) => file.slice(0, -'.json'.length));
if (name === undefined || !known.includes(name))
  fail(`usage: npm run results -- ${known.join('|')} [--draw]`);
const unknown = options.filter((option) => option !== '--draw');
if (unknown.length > 0) fail(`there is no option ${unknown.join(', ')}`);

const file = (ending) => path.join(folder, `${name}.${ending}`);
const asked = JSON.parse(readFileSync(file('json'), 'utf8'));
if (options.length === 0) {
  const out = path.join('results', `docs-${name}`);
  if (existsSync(path.join(root, out)))
    fail(`${out} is there already: remove it, or its records would be mixed with new ones`);
  // What the command needs and a checkout has not, such as a folder of data, comes from the environment.
  const args = asked.run.map((word) =>
    word.replace(
      /\$(\w+)/g,
      (_, variable) => process.env[variable] ?? fail(`set ${variable} first: ${asked.run.join(' ')}`),
    ),
  );
  bench(...args, '--out', out);
  bench('report', out, '--format', 'markdown', '--out', file('md'));
  bench('report', out, '--format', 'csv', '--out', file('csv'));
}
const rows = rowsOf(readFileSync(file('csv'), 'utf8'));
writeFileSync(file('svg'), `${await pictureOf(rows, asked)}\n`);
write(name, tableOf(rows, asked));
