/** A passage as one text. */
import type { Passage } from '../contracts.js';

/** What Python's `strip` takes off. */
const spaces = `\\s\\u0085${String.fromCharCode(0x1c)}-${String.fromCharCode(0x1f)}`;
const outerSpace = new RegExp(`^[${spaces}]+|[${spaces}]+$`, 'g');

/** Title and text, joined as evaluations of published models join them. */
export const joinedText = ({ title, text }: Pick<Passage, 'title' | 'text'>): string =>
  `${title} ${text}`.replace(outerSpace, '');
