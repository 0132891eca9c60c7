// What the page can do where scripts run: choose axes, hide systems, see settings, lay two systems side by side query by
// query, sort and filter tables. It stands in the page as it is, works on what the page holds, and fetches nothing.

const svgNames = 'http://www.w3.org/2000/svg';
// Drawn as wide as there is room, so that letters are as large on a phone.
const width = Math.min(640, Math.max(300, document.documentElement.clientWidth - 60));
const height = Math.max(260, Math.round(0.62 * width));
const margin = { left: 64, right: 20, top: 14, bottom: 44 };

/** An element with attributes; children are elements, or texts that stay texts. */
function make(name, attributes = {}, ...children) {
  const element = ['svg', 'g', 'circle', 'line', 'text', 'title'].includes(name)
    ? document.createElementNS(svgNames, name)
    : document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
  element.append(...children);
  return element;
}

/** A labelled choice. */
function choice(label, options, chosen, onChange) {
  const select = make(
    'select',
    { 'aria-label': label },
    ...options.map(([value, text]) => make('option', { value }, text)),
  );
  select.value = chosen;
  select.addEventListener('change', () => onChange(select.value));
  return make('label', {}, `${label} `, select);
}

const trimmed = (value) =>
  Math.abs(value) >= 1000 ? value.toFixed(0) : String(Number(value.toPrecision(4)));
const scaled = (value, unit) => (unit === 'share' ? 100 * value : unit === 'bytes' ? value / 2 ** 20 : value);
const unitNames = { share: ', %', bytes: ', MiB', ms: ', ms', s: ', s', J: ', J', count: '' };
const titleOf = (column) => `${column.label}${unitNames[column.unit]}`;
const colour = (index, count) => `var(--s${index % count})`;

/** Least and most; there may be more values than a call takes arguments. */
function ends(values) {
  return values.reduce(
    ([low, high], value) => [Math.min(low, value), Math.max(high, value)],
    [Infinity, -Infinity],
  );
}

/** From values to places on an axis; by powers of ten where they span more than two of them. */
function axisOf(values, from, to) {
  const [least, most] = ends(values);
  const isLog = least > 0 && most / least > 100;
  const of = (value) => (isLog ? Math.log10(value) : value);
  const room = (of(most) - of(least)) * 0.08 || Math.abs(of(most)) * 0.08 || 1;
  const [low, high] = [of(least) - room, of(most) + room];
  const at = (value) => from + ((of(value) - low) / (high - low)) * (to - from);
  return { at, ticks: isLog ? decadeTicks(low, high) : roundTicks(low, high) };
}

/** About five round numbers between two. */
function roundTicks(low, high) {
  const rough = (high - low) / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5].find((times) => times * power >= rough) ?? 10);
  const first = Math.ceil(low / step);
  return Array.from({ length: Math.floor(high / step) - first + 1 }, (_, i) => (first + i) * step);
}

/** Powers of ten, at most about five. */
function decadeTicks(low, high) {
  const every = Math.ceil((high - low) / 5);
  const first = Math.ceil(low);
  return Array.from({ length: Math.floor((high - first) / every) + 1 }, (_, i) => 10 ** (first + i * every));
}

function frame(svg, x, y, xTitle, yTitle) {
  const bottom = height - margin.bottom;
  const line = (x1, y1, x2, y2) => make('line', { x1, y1, x2, y2, stroke: 'currentColor', opacity: 0.3 });
  svg.append(
    line(margin.left, bottom, width - margin.right, bottom),
    line(margin.left, margin.top, margin.left, bottom),
  );
  for (const tick of x.ticks) {
    svg.append(make('text', { x: x.at(tick), y: bottom + 16, 'text-anchor': 'middle' }, trimmed(tick)));
  }
  for (const tick of y.ticks) {
    svg.append(make('text', { x: margin.left - 6, y: y.at(tick) + 4, 'text-anchor': 'end' }, trimmed(tick)));
  }
  svg.append(
    make('text', { class: 'axis', x: width / 2, y: height - 8, 'text-anchor': 'middle' }, xTitle),
    make(
      'text',
      {
        class: 'axis',
        x: 12,
        y: height / 2,
        'text-anchor': 'middle',
        transform: `rotate(-90 12 ${height / 2})`,
      },
      yTitle,
    ),
  );
}

const picture = (label) =>
  make('svg', { viewBox: `0 0 ${width} ${height}`, role: 'group', 'aria-label': label });

/** Accuracy against cost, of columns and systems that the reader chooses. */
function explorer(data, place) {
  const state = { x: data.x, y: data.y, hidden: new Set() };
  const drawing = make('div', { class: 'drawing' });
  const told = make('p', { class: 'told faint', 'aria-live': 'polite' });
  const column = (id) => data.columns.find((each) => each.id === id);
  const draw = () => {
    const [xs, ys] = [column(state.x), column(state.y)];
    const points = data.systems.flatMap((system, index) => {
      const [a, b] = [system.cells[xs.id], system.cells[ys.id]];
      return a && b && !state.hidden.has(index) ? [{ system, index, a, b }] : [];
    });
    const svg = picture(`${titleOf(ys)} against ${titleOf(xs)}`);
    told.textContent =
      points.length === 0
        ? 'No system that is shown has both numbers.'
        : 'Point at a system, or reach it by the tab key, to see its settings.';
    if (points.length > 0) {
      const all = (key, unit) => points.flatMap((point) => point[key].map((value) => scaled(value, unit)));
      const x = axisOf(all('a', xs.unit), margin.left, width - margin.right);
      const y = axisOf(all('b', ys.unit), height - margin.bottom, margin.top);
      frame(svg, x, y, titleOf(xs), titleOf(ys));
      for (const point of points) svg.append(mark(point, xs, ys, x, y));
    }
    drawing.replaceChildren(svg);
  };
  const mark = ({ system, index, a, b }, xs, ys, x, y) => {
    const [[ax, aLow, aHigh], [by, bLow, bHigh]] = [
      a.map((v) => x.at(scaled(v, xs.unit))),
      b.map((v) => y.at(scaled(v, ys.unit))),
    ];
    const stroke = colour(index, data.colours);
    const settings = system.settings.map(([key, value]) => `${key} ${value}`).join(', ');
    const text = `${system.name}: ${titleOf(ys)} ${trimmed(scaled(b[0], ys.unit))}, ${titleOf(xs)} ${trimmed(scaled(a[0], xs.unit))}; ${settings}`;
    const group = make(
      'g',
      { class: 'point', tabindex: 0, role: 'img', 'aria-label': text },
      make('title', {}, text),
      make('line', { x1: aLow, x2: aHigh, y1: by, y2: by, stroke }),
      make('line', { x1: ax, x2: ax, y1: bLow, y2: bHigh, stroke }),
      make('circle', { cx: ax, cy: by, r: 9, style: `fill: ${stroke}` }),
      make('text', { class: 'on', x: ax, y: by + 4, 'text-anchor': 'middle' }, String(index + 1)),
    );
    const tell = () => {
      told.textContent = text;
    };
    for (const event of ['pointerenter', 'focus', 'click']) group.addEventListener(event, tell);
    return group;
  };
  const options = data.columns.map((each) => [each.id, titleOf(each)]);
  const set = (key) => (value) => {
    state[key] = value;
    draw();
  };
  const shown = data.systems.map(({ name }, index) => {
    const box = make('input', { type: 'checkbox' });
    box.checked = true;
    box.addEventListener('change', () => {
      if (box.checked) state.hidden.delete(index);
      else state.hidden.add(index);
      draw();
    });
    return make(
      'label',
      {},
      box,
      make('span', { class: `number s${index % data.colours}` }, String(index + 1)),
      ` ${name}`,
    );
  });
  place.append(
    make('h3', {}, 'Choose the axes'),
    make(
      'div',
      { class: 'controls' },
      choice('up', options, state.y, set('y')),
      choice('along', options, state.x, set('x')),
    ),
    make('div', { class: 'controls systems' }, ...shown),
    drawing,
    told,
  );
  draw();
}

/** Two systems, a point for each pair of values, as large as there are queries of it. */
function queryScatter(data, place) {
  const measures = Object.keys(data.queries.measures);
  const state = {
    a: data.pair[0],
    b: data.pair[1],
    measure: measures.includes(data.y) ? data.y : measures[0],
  };
  const drawing = make('div', { class: 'drawing' });
  const told = make('p', { class: 'told faint', 'aria-live': 'polite' });
  const draw = () => {
    const [first, second] = [state.a, state.b].map((index) => data.queries.measures[state.measure][index]);
    const names = [state.a, state.b].map((index) => data.systems[index].name);
    const svg = picture(`${state.measure} of ${names[1]} against ${names[0]}, query by query`);
    drawing.replaceChildren(svg);
    if (!first || !second) {
      told.textContent = 'One of them does not have these queries, or not this measure.';
      return;
    }
    const spots = new Map();
    first.forEach((value, q) => {
      const key = `${value} ${second[q]}`;
      const spot = spots.get(key) ?? { x: value, y: second[q], ids: [] };
      spot.ids.push(data.queries.ids[q]);
      spots.set(key, spot);
    });
    const both = [...first, ...second];
    const [x, y] = [
      axisOf(both, margin.left, width - margin.right),
      axisOf(both, height - margin.bottom, margin.top),
    ];
    frame(svg, x, y, names[0], names[1]);
    const [low, high] = ends(both);
    svg.append(
      make('line', {
        x1: x.at(low),
        y1: y.at(low),
        x2: x.at(high),
        y2: y.at(high),
        stroke: 'currentColor',
        opacity: 0.4,
        'stroke-dasharray': '4 3',
      }),
    );
    for (const spot of [...spots.values()].sort((p, q) => q.ids.length - p.ids.length)) {
      const few = spot.ids.slice(0, 5).join(', ') + (spot.ids.length > 5 ? ' ...' : '');
      const text = `${spot.ids.length} ${spot.ids.length === 1 ? 'query' : 'queries'}, ${trimmed(spot.x)} and ${trimmed(spot.y)}: ${few}`;
      const r = Math.min(24, 3 + Math.sqrt(spot.ids.length));
      const circle = make(
        'circle',
        { class: 'spot', cx: x.at(spot.x), cy: y.at(spot.y), r },
        make('title', {}, text),
      );
      circle.addEventListener('click', () => {
        told.textContent = text;
      });
      svg.append(circle);
    }
    const more = first.filter((value, q) => value > second[q]).length;
    const less = first.filter((value, q) => value < second[q]).length;
    told.textContent = `${state.measure}: ${names[0]} has more on ${more} of ${first.length} queries, ${names[1]} on ${less}, and ${first.length - more - less} are equal. A click on a point lists its queries.`;
  };
  const set = (key, read) => (value) => {
    state[key] = read(value);
    draw();
  };
  const systems = data.systems.map(({ name }, index) => [index, `${index + 1} ${name}`]);
  place.append(
    make('h3', {}, 'Two systems, query by query'),
    make(
      'div',
      { class: 'controls' },
      choice('along', systems, state.a, set('a', Number)),
      choice('up', systems, state.b, set('b', Number)),
      choice(
        'by',
        measures.map((id) => [id, id]),
        state.measure,
        set('measure', String),
      ),
    ),
    drawing,
    told,
  );
  draw();
}

/** What a cell is sorted by: the number that it holds, else its text. */
function keyOf(cell) {
  const text = (cell?.textContent ?? '').trim();
  const number = Number(
    cell?.dataset.value ??
      Number.parseFloat(
        text
          .replace(/^[×<+]/, '')
          .replace('−', '-')
          .replace(/,/g, ''),
      ),
  );
  return { number: Number.isFinite(number) ? number : null, text };
}

function compareKeys(a, b) {
  if (a.number !== null && b.number !== null) return a.number - b.number;
  // What is no number comes last.
  if (a.number !== b.number && (a.number === null || b.number === null)) return a.number === null ? 1 : -1;
  return a.text.localeCompare(b.text, 'en', { numeric: true });
}

/** Rows are what is filtered; where cells span rows, the bodies of the table. */
function filterable(table, wrapper) {
  const spans = table.querySelector('tbody [rowspan]') !== null;
  const parts = [...(spans ? table.tBodies : (table.tBodies[0]?.rows ?? []))];
  if (parts.length < 2) return;
  const input = make('input', { type: 'search', placeholder: 'filter rows', 'aria-label': 'filter rows' });
  input.addEventListener('input', () => {
    const wanted = input.value.trim().toLowerCase();
    for (const part of parts) part.hidden = !part.textContent.toLowerCase().includes(wanted);
  });
  wrapper.before(make('div', { class: 'controls filter' }, input));
  if (!spans) sortable(table);
}

function sortable(table) {
  const heads = [...table.tHead.rows].at(-1).cells;
  const original = [...table.tBodies[0].rows];
  [...heads].forEach((head, at) => {
    const button = make('button', { type: 'button', class: 'sort' });
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener('click', () => {
      const next = { none: 'descending', descending: 'ascending', ascending: 'none' }[
        head.getAttribute('aria-sort') ?? 'none'
      ];
      for (const other of heads) other.removeAttribute('aria-sort');
      if (next !== 'none') head.setAttribute('aria-sort', next);
      const direction = next === 'descending' ? -1 : 1;
      const rows =
        next === 'none'
          ? original
          : original.toSorted((a, b) => {
              const [x, y] = [keyOf(a.cells[at]), keyOf(b.cells[at])];
              const isNumber = x.number !== null && y.number !== null;
              return (isNumber || x.number === y.number ? direction : 1) * compareKeys(x, y);
            });
      table.tBodies[0].append(...rows);
    });
  });
}

for (const place of document.querySelectorAll('.explore')) {
  const data = JSON.parse(place.querySelector('script').textContent);
  if (data.systems.length > 0 && data.columns.length > 1) explorer(data, place);
  if (data.queries && data.systems.length > 1) queryScatter(data, place);
  place.hidden = false;
}
for (const wrapper of document.querySelectorAll('.wide')) {
  const table = wrapper.querySelector('table');
  if (table?.tHead) filterable(table, wrapper);
}
