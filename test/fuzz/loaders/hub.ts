/** What lies in the caches of the hub's models. */
import path from 'node:path';
import { resolveModel } from '../../../harness/model/hub.js';
import { gitHash, hash } from '../../loopback-hub.js';
import { type Loader, UnfitResult } from '../loader.js';
import { texts } from '../valid-files.js';

const model = { 'config.json': '{}', 'tokenizer.json': '{"a": 1}', 'model.safetensors': 'weights' };
const within = (folder: string, files: Readonly<Record<string, string>>) =>
  texts(Object.fromEntries(Object.entries(files).map(([name, text]) => [`${folder}/${name}`, text])));
const downloaded = within('own/org--model/0123abcd', model);
const listing = {
  name: 'org/model',
  revision: '0123abcd',
  files: Object.entries(model).map(([name, text]) => {
    const bytes = Buffer.from(text);
    const lfs = { oid: hash('sha256', bytes) };
    return {
      ...{ path: name, size: bytes.byteLength, oid: gitHash(bytes) },
      ...(name.endsWith('.safetensors') && { lfs }),
    };
  }),
};

const loaders: Loader[] = [
  {
    // What an earlier run downloaded of a model, of this version and of an older one, and what Hugging Face's tools did.
    name: 'hub-cache',
    writes: true,
    inputs: () => [
      { ...within('own/org--model', { 'revision.json': JSON.stringify(listing) }), ...downloaded },
      {
        ...within('own/org--model', { 'revision.json': JSON.stringify({ ...listing, files: undefined }) }),
        ...downloaded,
      },
      {
        ...within('shared/models--org--model', { 'refs/main': '0123abcd' }),
        ...within('shared/models--org--model/snapshots/0123abcd', model),
      },
    ],
    codes: ['DOWNLOAD_FAILED', 'CHECKPOINT_INVALID', 'PATH_INVALID', 'CACHE_INVALID'],
    async load(folder) {
      const { HF_HUB_CACHE: before } = process.env;
      process.env.HF_HUB_CACHE = path.join(folder, 'shared');
      try {
        const cacheFolder = path.join(folder, 'own');
        const found = await resolveModel('org/model', { cacheFolder, offline: true });
        if (typeof found.name !== 'string' || !found.folder.startsWith(folder + path.sep))
          throw new UnfitResult(`the model '${String(found.name)}' in ${found.folder}`);
      } finally {
        if (before === undefined) delete process.env.HF_HUB_CACHE;
        else process.env.HF_HUB_CACHE = before;
      }
    },
  },
];

export default loaders;
