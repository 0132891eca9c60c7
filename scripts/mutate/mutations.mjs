// The mistakes of a tired programmer, one at a time, in a built module.
import { parse } from 'acorn';

/**
 * @typedef {object} Mutation
 * @property {string} kind of mistake
 * @property {number} start of what is replaced, in the text
 * @property {number} end
 * @property {string} text that is put there
 */

const comparisons = {
  '<': ['<=', '>'],
  '<=': ['<', '>='],
  '>': ['>=', '<'],
  '>=': ['>', '<='],
  '===': ['!=='],
  '!==': ['==='],
};
const operators = {
  '+': ['-'],
  '-': ['+'],
  '*': ['/'],
  '/': ['*'],
  '%': ['/'],
  '**': ['*'],
  '<<': ['>>'],
  '>>': ['<<'],
  '>>>': ['<<'],
  '&': ['|'],
  '|': ['&'],
  '^': ['|'],
};
const rounding = { min: 'max', max: 'min', floor: 'ceil', ceil: 'floor', round: 'floor', trunc: 'ceil' };
// Of no prototype, as every name of a method is looked up in it.
const methods = {
  __proto__: null,
  some: 'every',
  every: 'some',
  startsWith: 'endsWith',
  endsWith: 'startsWith',
  push: 'unshift',
  indexOf: 'lastIndexOf',
  lastIndexOf: 'indexOf',
  find: 'findLast',
  findLast: 'find',
};
const forgotten = new Set(['sort', 'toSorted', 'reverse', 'toReversed', 'filter', 'trim', 'toLowerCase']);
const cuts = new Set(['slice', 'subarray', 'substring']);
/** What gives the same bits whichever argument comes first: to exchange two of them is no mistake. */
const symmetric =
  /^(Math\.(min|max|hypot|imul)|Object\.is|tf\.(add|mul|maximum|minimum|equal|notEqual|logicalAnd|logicalOr))$/;

/**
 * Every mutation of a module, by the place it stands at: those of one place are of one kind.
 * @param {string} source as the compiler wrote it
 * @returns {Mutation[][]} in the order of the text
 */
export function mutationsOf(source) {
  const sites = [];
  const textOf = ({ start, end }) => source.slice(start, end);
  const add = (kind, { start, end }, ...texts) => {
    const made = texts.filter((text) => text !== source.slice(start, end));
    if (made.length > 0) sites.push(made.map((text) => ({ kind, start, end, text })));
  };
  const tools = { add, textOf, source };
  const walk = (node, parent) => {
    if (isMessage(node)) return;
    rules[node.type]?.(node, tools, parent);
    for (const [key, value] of Object.entries(node)) {
      if (key === 'key' && node.computed !== true) continue;
      for (const child of Array.isArray(value) ? value : [value])
        if (typeof child?.type === 'string') walk(child, node);
    }
  };
  walk(parse(source, { ecmaVersion: 'latest', sourceType: 'module', allowHashBang: true }), undefined);
  return sites.sort(([a], [b]) => a.start - b.start || a.end - b.end);
}

/** What is written for people or for the loader decides no number. */
function isMessage({ type, callee }) {
  return (
    type === 'ThrowStatement' ||
    type === 'ImportDeclaration' ||
    (type === 'NewExpression' && /Error$|^URL$|^RegExp$/.test(callee.name ?? ''))
  );
}

const isText = ({ type, value }) =>
  type === 'TemplateLiteral' || (type === 'Literal' && typeof value === 'string');

/** Replaces the operator between two operands. */
function exchange(kind, { left, right, operator }, { add, source }, others) {
  const at = source.indexOf(operator, left.end);
  if (at < right.start) add(kind, { start: at, end: at + operator.length }, ...others);
}

const rules = {
  BinaryExpression(node, tools) {
    if (comparisons[node.operator] !== undefined)
      exchange('comparison', node, tools, comparisons[node.operator]);
    else if (operators[node.operator] !== undefined && !isText(node.left) && !isText(node.right))
      exchange('arithmetic', node, tools, operators[node.operator]);
  },

  AssignmentExpression(node, tools) {
    const other = operators[node.operator.slice(0, -1)];
    if (other !== undefined && !isText(node.right))
      exchange(
        'arithmetic',
        node,
        tools,
        other.map((operator) => `${operator}=`),
      );
  },

  UpdateExpression(node, { add, textOf }, parent) {
    // A loop that counts the other way never ends.
    if (parent.type === 'ForStatement') return;
    add('arithmetic', node, textOf(node).replace(node.operator, node.operator === '++' ? '--' : '++'));
  },

  UnaryExpression(node, { add, textOf }) {
    if (node.operator === '-' || node.operator === '!') add('sign', node, textOf(node.argument));
  },

  LogicalExpression(node, tools) {
    const { left, right, operator } = node;
    if (operator === '??') tools.add('default', node, tools.textOf(left), `(${tools.textOf(right)})`);
    else exchange('logic', node, tools, [operator === '&&' ? '||' : '&&']);
  },

  AssignmentPattern(node, { add, textOf }) {
    add('default', node, textOf(node.left));
  },

  IfStatement: negate,
  ConditionalExpression: negate,
  WhileStatement: negate,

  Literal({ value, start, end, raw }, { add }) {
    if (typeof value === 'boolean') add('constant', { start, end }, String(!value));
    if (typeof value !== 'number') return;
    // One more than the largest numbers is the same number.
    if (!Number.isInteger(value) || value + 1 === value)
      add('constant', { start, end }, String(wrongFraction(value)));
    else if (value > 1e6 || /[xob]/i.test(raw)) add('constant', { start, end }, String(value + 1));
    else add('off by one', { start, end }, String(value + 1), ...(value > 0 ? [String(value - 1)] : []));
  },

  MemberExpression(node, { add, textOf }, parent) {
    const isRead = parent.type !== 'AssignmentExpression' || parent.left !== node;
    if (!node.computed && node.property.name === 'length' && isRead && parent.type !== 'UpdateExpression')
      add('off by one', node, `(${textOf(node)} - 1)`);
  },

  AwaitExpression(node, { add, textOf }) {
    const [word] = /^await\s*/.exec(textOf(node));
    add('await', { start: node.start, end: node.start + word.length }, '');
  },

  ExpressionStatement({ expression, start, end }, { add }) {
    if (expression.type !== 'Literal' && expression.callee?.type !== 'Super')
      add('removed statement', { start, end }, ';');
  },

  ContinueStatement: remove,
  BreakStatement(node, tools, parent) {
    if (parent.type !== 'SwitchCase') remove(node, tools);
  },

  CallExpression(node, tools) {
    callRule(node, tools);
    swapArguments(node, tools);
  },
  NewExpression: swapArguments,
};

function negate({ test }, { add, textOf }) {
  add('condition', test, `!(${textOf(test)})`);
}

function remove(node, { add }) {
  add('removed statement', node, ';');
}

function wrongFraction(value) {
  return value < 1e-9 ? Number((value * 1e7).toPrecision(6)) : Number((value * 1.1).toPrecision(12));
}

/** What is called by its name: rounding, order, cuts. */
function callRule({ callee, arguments: given, start, end }, { add, textOf }) {
  if (callee.type !== 'MemberExpression' || callee.computed) return;
  const { object, property } = callee;
  if (object.name === 'Math' && rounding[property.name] !== undefined)
    add('rounding', property, rounding[property.name]);
  if (object.name === 'Math' && ['abs', 'sqrt'].includes(property.name))
    add('rounding', { start, end }, `(${textOf(given[0])})`);
  if (object.name !== 'Math' && methods[property.name] !== undefined)
    add('method', property, methods[property.name]);
  if (forgotten.has(property.name)) add('forgotten call', { start, end }, textOf(object));
  if (cuts.has(property.name))
    for (const [i, argument] of given.entries())
      add('cut', argument, `(${textOf(argument)}) ${i === 0 ? '+' : '-'} 1`);
  const [order] = given;
  if (['sort', 'toSorted'].includes(property.name) && order?.params?.length === 2) {
    const [a, b] = order.params;
    add('order', { start: a.start, end: b.end }, `${textOf(b)}, ${textOf(a)}`);
  }
}

/** Neighbours that may be of one type; functions, objects and texts are seldom taken for each other. */
function swapArguments({ callee, arguments: given }, { add, textOf }) {
  if (symmetric.test(textOf(callee))) return;
  const isPlain = ({ type, value }) =>
    type === 'Identifier' || type === 'MemberExpression' || (type === 'Literal' && typeof value === 'number');
  for (const [i, a] of given.entries()) {
    const b = given[i + 1];
    if (b !== undefined && isPlain(a) && isPlain(b))
      add('swapped arguments', { start: a.start, end: b.end }, `${textOf(b)}, ${textOf(a)}`);
  }
}
