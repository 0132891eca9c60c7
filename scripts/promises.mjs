// Refuses promises that are used as a forgotten `await` would use them: `npm run lint` looks through every TypeScript source, and
// `npm run mutate` at a source whose mistake the compiler lets pass. Biome's rule on floating promises (2.5) does not see types that
// come from node_modules; the compiler's own checker does.
import { realpathSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  isBinaryExpression,
  isCallExpression,
  isExpressionStatement,
  isFunctionLikeDeclaration,
  isPrefixUnaryExpression,
  isReturnStatement,
  isTemplateSpan,
  isTryStatement,
  isVoidExpression,
} from 'typescript/unstable/ast/is';
import { API } from 'typescript/unstable/sync';

/** Tests of node:test return a promise that the runner waits for. */
const registered = /^(test|describe|it|suite)(\.\w+)?$/;

const faults = {
  left: 'nothing waits for it: await it, or say void',
  taken: 'its value is meant: await it',
  returned: 'the try around it does not see what it rejects with: await it',
};

/** @returns { api, config, project }: a compiler that holds the program of a checkout's tsconfig.json, to be closed */
export function openProgram(root, options = {}) {
  const api = new API({ cwd: root, ...options });
  const config = path.join(root, 'tsconfig.json');
  const snapshot = api.updateSnapshot({ openProjects: [config] });
  return { api, config, project: snapshot.getProject(config) };
}

/**
 * The promises of a source that want an `await`.
 * @param project of `openProgram`
 * @returns { line, text, why }[]
 */
export function misusedPromises({ program, checker }, file) {
  const source = program.getSourceFile(file);
  const textOf = (node) => source.text.slice(node.getStart(source), node.end);
  const uses = [];
  // In a function that does not wait, and in a generator, which does by itself, what is returned is taken as it is.
  const waits = (node) =>
    node.asteriskToken === undefined && (node.modifiers ?? []).some((each) => textOf(each) === 'async');
  const walk = (node, inTry, isAsync) => {
    uses.push(...usesIn(node, inTry && isAsync, textOf));
    if (isTryStatement(node)) {
      const { tryBlock, catchClause, finallyBlock } = node;
      walk(tryBlock, true, isAsync);
      if (catchClause !== undefined) walk(catchClause, inTry || finallyBlock !== undefined, isAsync);
      if (finallyBlock !== undefined) walk(finallyBlock, inTry, isAsync);
    } else if (isFunctionLikeDeclaration(node)) node.forEachChild((child) => walk(child, false, waits(node)));
    else node.forEachChild((child) => walk(child, inTry, isAsync));
  };
  walk(source, false, false);
  const types = uses.length === 0 ? [] : checker.getTypeAtLocation(uses.map(({ node }) => node));
  return uses
    .filter(({ why }, i) => isPromise(types[i], why === faults.taken))
    .map(({ node, why }) => ({
      line: source.text.slice(0, node.getStart(source)).split('\n').length,
      text: textOf(node).split('\n')[0],
      why,
    }));
}

/** The expressions that must not be promises where a node has them: { node, why }[]. */
function usesIn(node, inTry, textOf) {
  const { expression } = node;
  const found = (why, ...nodes) => nodes.map((each) => ({ node: each, why }));
  if (isExpressionStatement(node)) return isKept(expression, textOf) ? [] : found(faults.left, expression);
  if (isReturnStatement(node)) return inTry && expression ? found(faults.returned, expression) : [];
  if (isTemplateSpan(node)) return found(faults.taken, expression);
  if (isPrefixUnaryExpression(node)) return found(faults.taken, node.operand);
  // The compiler refuses to compare a promise with anything else that it is not.
  if (
    isBinaryExpression(node) &&
    /^[!=]== undefined$/.test(`${textOf(node.operatorToken)} ${textOf(node.right)}`)
  )
    return found(faults.taken, node.left);
  return [];
}

/** Whether a statement says itself what becomes of its promise: it is put somewhere, or given up by `void`. */
function isKept(node, textOf) {
  if (isVoidExpression(node)) return true;
  if (isBinaryExpression(node)) return /^(\?\?|&&|\|\|)?=$/.test(textOf(node.operatorToken));
  return isCallExpression(node) && registered.test(textOf(node.expression));
}

/** @param always whether what may be no promise as well does not count */
function isPromise(type, always) {
  if (type === undefined) return false;
  if (type.isUnionType()) return !always && type.getTypes().some((each) => isPromise(each, always));
  if (type.isIntersectionType?.()) return type.getTypes().some((each) => isPromise(each, always));
  // And those made from it: Node's PromiseWithChild.
  return /^Promise/.test(type.getSymbol()?.name ?? '');
}

function lint(root) {
  const { api, project } = openProgram(root);
  const files = project.program
    .getSourceFileNames()
    .filter((file) => !/^\.\.|node_modules/.test(path.relative(root, file)));
  for (const file of files)
    for (const { line, text, why } of misusedPromises(project, file)) {
      console.error(`${path.relative(root, file)}:${line} has a promise, and ${why}\n    ${text}`);
      process.exitCode = 1;
    }
  api.close();
}

if (realpathSync(process.argv[1]) === realpathSync(fileURLToPath(import.meta.url))) lint(process.cwd());
