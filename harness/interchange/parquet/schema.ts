/** The columns of a parquet file, and which of them are read. */
import type { SchemaElement } from 'hyparquet';
import { ParquetFault } from './fault.js';
import { leastBytes } from './page.js';

/** What a column holds: texts, whole numbers, numbers; anything else is `other` and is not read. */
export type ColumnKind = 'text' | 'whole' | 'number' | 'other';

/** The columns below the root; what lies within one of them is passed over. */
export function topLevel(schema: readonly SchemaElement[]): SchemaElement[] {
  const found: SchemaElement[] = [];
  let at = 1;
  for (let i = 0; i < (schema[0]?.num_children ?? 0); i++) {
    const element = schema[at];
    if (element === undefined) throw new ParquetFault('its schema ends in the middle');
    found.push(element);
    for (let open = 1; open > 0; at++, open--) {
      const children = schema[at]?.num_children ?? 0;
      if (at >= schema.length || children < 0) throw new ParquetFault('its schema ends in the middle');
      open += children;
    }
  }
  const names = found.map(({ name }) => name);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw new ParquetFault(`it has the column ${twice} twice`);
  return found;
}

const wholeTypes = /^U?INT_(8|16|32|64)$/;

export function kindOf(element: SchemaElement): ColumnKind {
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
