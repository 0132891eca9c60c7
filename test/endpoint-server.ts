/** A server of vectors on this machine: a text's vector is made of its letters, and a test says how it answers. */

import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';

export const dimensions = 5;

/** Whole numbers from the hash of a text. */
export const vectorOf = (text: string): number[] =>
  Array.from(createHash('sha256').update(text).digest().subarray(0, dimensions), (byte) => (byte % 9) - 4);

export interface Asked {
  model?: string;
  input: string[];
  encoding_format: string;
}

/** What a right answer holds. */
export const answerTo = ({ input }: Asked) => ({
  object: 'list',
  model: 'served-model',
  data: input.map((text, index) => ({ object: 'embedding', index, embedding: vectorOf(text) as unknown[] })),
});

export async function bodyOf(request: IncomingMessage): Promise<Asked> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return JSON.parse(Buffer.concat(chunks).toString('utf8')) as Asked;
}

/** @param body text as it stands, else JSON */
export function send(
  response: ServerResponse,
  body: unknown,
  status = 200,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(typeof body === 'string' ? body : JSON.stringify(body));
}
