/** How each number was made. */
import type { ReportRun, ReportSection } from '../../harness/contracts.js';
import { formatNumber } from '../format/numbers.js';
import { statisticsMethod } from '../format/words.js';
import { escapeHtml } from './escape.js';

export function provenanceHtml({ dataset, columns, runs }: ReportSection): string {
  const files = dataset.files.map(
    ({ name, sizeBytes, sha256 }) =>
      `<dt>${escapeHtml(name)}</dt><dd>${formatNumber(sizeBytes, 'bytes')}, sha256 <code>${escapeHtml(sha256)}</code></dd>`,
  );
  const meanings = columns.map(
    ({ label, description }) => `<dt>${escapeHtml(label)}</dt><dd>${escapeHtml(description)}</dd>`,
  );
  const licence = dataset.licence === null ? '' : ` Licence: ${escapeHtml(dataset.licence)}.`;
  return `<h3>How the numbers were made</h3>
<dl>${meanings.join('\n')}</dl>
<ul class="faint">${statisticsMethod.map((line) => `<li>${escapeHtml(line)}</li>`).join('')}</ul>
<p class="faint">Dataset ${escapeHtml(`${dataset.name} ${dataset.version}, ${dataset.split}`)}.${licence}</p>
<dl>${files.join('\n')}</dl>
<h3>Runs</h3>
${runs.map(runHtml).join('\n')}`;
}

function runHtml(run: ReportRun): string {
  const versions = Object.entries(run.versions).map(([name, version]) => `${name} ${version}`);
  const stages = run.stages.map(
    ({ name, seconds, cached }) =>
      `${name} ${formatNumber(seconds, 's')} s${cached ? ' (from the cache)' : ''}`,
  );
  const facts: [string, string | undefined][] = [
    ['file', run.file],
    ['command', run.command],
    ['made', run.createdAt],
    ['model', run.model],
    ['device', run.device],
    ['libraries', versions.join(', ')],
    ['commit of bench', run.commit ?? 'not known'],
    ['stages', stages.join(', ')],
    ['failed', run.error && `${run.error.code}: ${run.error.message}`],
    ['notes', run.warnings.join(' ')],
  ];
  const items = facts
    .filter(([, text]) => text !== undefined && text !== '')
    .map(([name, text]) => `<dt>${name}</dt><dd>${escapeHtml(text!)}</dd>`);
  return `<article class="query"><h4>${escapeHtml(run.system)}${run.seed === null ? '' : `, seed ${run.seed}`}</h4><dl>${items.join('')}</dl></article>`;
}
