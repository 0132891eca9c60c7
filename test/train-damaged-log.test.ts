import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { StepLog } from '../harness/train/step-log.js';

const folder = mkdtempSync(path.join(tmpdir(), 'strata-steps-'));
after(() => rmSync(folder, { recursive: true, force: true }));

async function rewound(text: string, step: number): Promise<string> {
  const file = path.join(folder, 'steps.jsonl');
  writeFileSync(file, text);
  await new StepLog(folder).rewind(step);
  return readFileSync(file, 'utf8');
}
const line = (step: number): string => `{"epoch":0,"step":${step},"loss":0.5}`;

test('going on keeps the steps up to the saved one, and drops lines that a kill or a crash has damaged', async () => {
  assert.equal(await rewound(`${line(1)}\n${line(2)}\n${line(3)}\n`, 2), `${line(1)}\n${line(2)}\n`);
  for (const damaged of ['{"epoch":0,"st', '{"a":}', 'null', '{}', '\0\0\0}', '{"step":"1"}', '[{"step":1}]'])
    assert.equal(
      await rewound(`${line(1)}\n${damaged}\n${line(2)}\n`, 2),
      `${line(1)}\n${line(2)}\n`,
      damaged,
    );
});

test('where there is no log yet, it is begun', async () => {
  rmSync(path.join(folder, 'steps.jsonl'));
  await new StepLog(folder).rewind(5);
  assert.equal(readFileSync(path.join(folder, 'steps.jsonl'), 'utf8'), '');
});
