/** The columns of a parquet file, and which of them are read. */
import type { SchemaElement } from 'hyparquet';
import { isHalf, leastBytes } from './encodings.js';
import { ParquetFault } from './fault.js';

/** What a column holds: texts, whole numbers, numbers, lists of numbers; anything else is `other` and is not read. */
export type ColumnKind = 'text' | 'whole' | 'number' | 'numbers' | 'other';

/** A column below the root. */
export interface SchemaColumn {
  element: SchemaElement;
  /** From it to what holds its values: itself alone, or the groups of a list. */
  path: readonly SchemaElement[];
}

/** The columns below the root; what lies within one that is no list is passed over. */
export function topLevel(schema: readonly SchemaElement[]): SchemaColumn[] {
  const found: SchemaColumn[] = [];
  let at = 1;
  for (let i = 0; i < (schema[0]?.num_children ?? 0); i++) {
    const element = schema[at];
    if (element === undefined) throw new ParquetFault('its schema ends in the middle');
    const from = at;
    for (let open = 1; open > 0; at++, open--) {
      const children = schema[at]?.num_children ?? 0;
      if (at >= schema.length || children < 0) throw new ParquetFault('its schema ends in the middle');
      open += children;
    }
    found.push({ element, path: pathOf(schema.slice(from, at)) });
  }
  const names = found.map(({ element }) => element.name);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw new ParquetFault(`it has the column ${twice} twice`);
  return found;
}

/** @param elements a column with all that lies within it, each before what lies within it */
function pathOf(elements: readonly SchemaElement[]): readonly SchemaElement[] {
  const isChain = elements.every(({ num_children: children = 0 }, i) =>
    i === elements.length - 1 ? children === 0 : children === 1,
  );
  return isChain && elements.length <= 3 ? elements : elements.slice(0, 1);
}

const wholeTypes = /^U?INT_(8|16|32|64)$/;

export function kindOf({ element, path }: SchemaColumn): ColumnKind {
  const repeated = path.filter((each) => each.repetition_type === 'REPEATED').length;
  if (repeated === 0) return path.length === 1 ? flatKind(element) : 'other';
  const isList =
    path.length === 1 || element.converted_type === 'LIST' || element.logical_type?.type === 'LIST';
  return repeated === 1 && isList && isFloating(path.at(-1)!) ? 'numbers' : 'other';
}

function isFloating(element: SchemaElement): boolean {
  if (isHalf(element)) return true;
  return element.type === 'FLOAT' || element.type === 'DOUBLE';
}

function flatKind(element: SchemaElement): ColumnKind {
  const { type, converted_type: converted, logical_type: logical, num_children: children } = element;
  if (children || type === undefined || !(type in leastBytes) || element.repetition_type === 'REPEATED')
    return 'other';
  if (type === 'BYTE_ARRAY') return converted === 'UTF8' || logical?.type === 'STRING' ? 'text' : 'other';
  if (type === 'FLOAT' || type === 'DOUBLE') return 'number';
  const isPlain = converted === undefined ? logical === undefined : wholeTypes.test(converted);
  return isPlain || logical?.type === 'INTEGER' ? 'whole' : 'other';
}

export function typeText({
  type,
  converted_type: converted,
  logical_type: logical,
  num_children: children,
}: SchemaElement) {
  if (children) return converted ?? logical?.type ?? 'a group of columns';
  return [type, converted ?? logical?.type].filter((each) => each !== undefined).join(' ');
}
