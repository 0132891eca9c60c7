/** What repositories of the Hugging Face hub and their revisions are called, and what may stand in a path. */

export type RepositoryKind = 'model' | 'dataset';

export interface HubName {
  /** `google-t5/t5-base`, or an old name without an organisation. */
  repository: string;
  /** A branch, a tag or a commit; absent where the user pins none. */
  revision?: string;
}

/** What the hub calls the newest state of a repository. */
export const newest = 'main';

const repository = /^[\w-][\w.-]*(\/[\w-][\w.-]*)?$/;
const revisionPart = /^\w[\w.-]*$/;

/** `OWNER/NAME`, or `OWNER/NAME@REVISION`; undefined for what no repository can be called. */
export function parseHubName(text: string): HubName | undefined {
  const at = text.indexOf('@');
  const name = at < 0 ? text : text.slice(0, at);
  if (!repository.test(name)) return undefined;
  if (at < 0) return { repository: name };
  const revision = text.slice(at + 1);
  return revision.split('/').every((part) => revisionPart.test(part))
    ? { repository: name, revision }
    : undefined;
}

/** As it stands in a command: with the revision where one was pinned. */
export const writtenName = ({ repository, revision }: HubName): string =>
  revision === undefined ? repository : `${repository}@${revision}`;

/** A name that a folder may have, and nothing that leads out of it. */
export const isCommit = (revision: unknown): revision is string =>
  typeof revision === 'string' && /^[0-9a-f]{8,64}$/.test(revision);

/** A file's path within a repository that stays within the folder it is written to. */
export function isPathWithin(file: unknown): file is string {
  if (typeof file !== 'string' || file.length > 1000 || /[\\:\p{Cc}]/u.test(file)) return false;
  return file.split('/').every((part) => part !== '' && part !== '.' && part !== '..');
}
