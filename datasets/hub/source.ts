/** The repository of a collection, and which of its files are what. */
import path from 'node:path';
import type { DatasetRequest, HubRepository } from '../../harness/contracts.js';
import { BenchError } from '../../harness/errors.js';
import { parseHubName } from '../../harness/store/hub-names.js';
import { filesBelow } from '../../harness/store/hub-snapshots.js';
import { readPlainText } from '../../harness/store/plain-file.js';
import { assertFolder } from '../collection/files.js';
import { type Layout, layoutOf } from './layout.js';

const layoutHint =
  'A repository in BEIR\'s form has the configurations "corpus", "queries" and "qrels" or "default" in its README, or folders of these names, in Parquet or JSON lines.';

/** A repository and which of its files are what. */
export interface Source {
  repository: HubRepository;
  layout: Layout;
}

async function readLayout({ files, fetch }: Pick<HubRepository, 'files' | 'fetch'>): Promise<Layout> {
  const readme = files.includes('README.md') ? await readPlainText(await fetch('README.md')) : undefined;
  return layoutOf(files, readme);
}

/** What a collection lacks: its qrels may lie in a repository of their own. */
const collectionLacks = ({ missing, missingQrels, qrels, namesNoQrels }: Layout): readonly string[] =>
  qrels.size === 0 && namesNoQrels ? missing : [...missing, ...missingQrels];

/** What a repository of qrels lacks. */
const qrelsLack = ({ missingQrels }: Layout): readonly string[] => missingQrels;

async function sourceOf(
  { repository: open, folder }: DatasetRequest,
  name: string,
  lacking: (layout: Layout) => readonly string[],
): Promise<Source> {
  if (folder !== undefined) {
    const repository = await localRepository(folder, name);
    return { repository, layout: await readLayout(repository) };
  }
  if (open === undefined) throw new TypeError('a repository is asked for, and there is no way to one');
  // Others fetch single files of a repository: what they have may not be all.
  const repository = await open(
    name,
    async (found) => found.isWhole || lacking(await readLayout(found)).length === 0,
  );
  return { repository, layout: await readLayout(repository) };
}

/** A copy of a repository, as `git clone` or `hf download --local-dir` leaves it. */
async function localRepository(folder: string, name: string): Promise<HubRepository> {
  await assertFolder(folder, layoutHint);
  const files = (await filesBelow(folder)).filter((file) => !file.startsWith('.'));
  return {
    ...{ name, revision: 'folder', folder, files, isWhole: true },
    lacks: (file) => !files.includes(file),
    fetch: async (file) => path.join(folder, ...file.split('/')),
    keep: async () => undefined,
  };
}

/** @throws BenchError DATA_INVALID where a part is not there, naming what is */
function assertComplete({ repository, layout }: Source, missing: readonly string[]): void {
  if (missing.length === 0) return;
  const files = repository.files.slice(0, 40).join(', ') || 'none';
  throw new BenchError(
    'DATA_INVALID',
    `${repository.name} cannot be read as a collection: ${missing.join('; and ')}. Its files: ${files}${repository.files.length > 40 ? ', ...' : ''}.`,
    { hint: layout.corpus.length === 0 ? layoutHint : `${layoutHint} A copy is read with --data DIR.` },
  );
}

/** Its qrels: its own, or those of the repository that its publisher keeps beside it. */
async function qrelSource(request: DatasetRequest, own: Source, address: string): Promise<Source> {
  const { repository } = parseHubName(address) ?? { repository: address };
  if (own.layout.qrels.size > 0 || request.folder !== undefined) return own;
  return sourceOf(request, `${repository}-qrels`, qrelsLack);
}

/**
 * Where a collection and its qrels lie: both in one repository or folder, or the qrels in one of their own.
 * @throws BenchError DATA_INVALID where a part is not there, naming what is
 */
export async function sourcesOf(
  request: DatasetRequest,
  name: string,
): Promise<{ own: Source; judging: Source }> {
  const own = await sourceOf(request, name, collectionLacks);
  assertComplete(own, own.layout.missing);
  const judging = await qrelSource(request, own, name);
  assertComplete(judging, judging.layout.missingQrels);
  return { own, judging };
}
