/**
 * What a run record says of its run, in the terms of ir_metadata 0.1 (Breuer et al., SIGIR 2022): YAML that is handed around
 * beside a TREC run. https://www.ir-metadata.org
 * It would have it in the run itself, as comments before the hits. There every reader but trec_eval stumbles over it, so it
 * lies in a file beside the run.
 */
import { writeAtomic } from '../store/atomic.js';
import type { RunRecord } from './run-record.js';

/**
 * The text of the file. Its first and last line are those between which a run has it, and comments to YAML, so that any parser reads
 * the file as it is. What a record does not know is left out.
 */
export async function irMetadataOf(record: RunRecord): Promise<string> {
  const { stringify } = await import('yaml');
  return `# ir_metadata.start\n${stringify(metadataOf(record), { lineWidth: 0 })}# ir_metadata.end\n`;
}

/** `a.ir_metadata.yaml` of `a.run.gz`. */
const metadataFile = (runFile: string): string =>
  `${runFile.replace(/(\.run)?(\.gz)?$/, '')}.ir_metadata.yaml`;

/** Writes what a record says beside the run. @returns the file */
export async function writeIrMetadata(runFile: string, record: RunRecord): Promise<string> {
  const file = metadataFile(runFile);
  await writeAtomic(file, await irMetadataOf(record));
  return file;
}

function metadataOf(record: RunRecord): object {
  const { arch, benchVersion, command, dataset, device, measures, model, training } = record;
  const { machine, git } = device;
  const gibibytes = Math.round(machine.memoryBytes / 2 ** 30);
  const [kernel, release, architecture] = machine.os.split(' ');
  const origin = (revision: string | null) => (revision === null ? {} : { source: `revision ${revision}` });
  return {
    'schema-version': 0.1,
    'run-version': 1.0,
    tag: arch.name,
    platform: {
      hardware: {
        cpu: { model: machine.cpu, ...(architecture && { architecture }), 'number of cores': machine.cores },
        ram: `${gibibytes} GB`,
      },
      'operating system': { kernel: `${kernel} ${release}` },
      software: {
        libraries: {
          javascript: [
            `node==${machine.node}`,
            ...Object.entries(device.versions).map(([name, version]) => `${name}==${version}`),
          ],
        },
        'retrieval toolkit': [`strata-bench==${benchVersion}`],
      },
    },
    ...(Object.keys(measures).length > 0 && {
      'research goal': { evaluation: { 'reported measures': Object.keys(measures) } },
    }),
    implementation: {
      executable: { cmd: ['bench', ...command].join(' ') },
      source: { lang: ['typescript'], ...(git !== null && { commit: git.commit }) },
    },
    data: {
      'test collection': {
        name: `${dataset.name}, ${dataset.split}`,
        source: `version ${dataset.version}; ${dataset.files.map(({ name, sha256 }) => `${name} sha256 ${sha256}`).join(', ')}`,
      },
      ...(training !== undefined && { 'training data': [{ name: `${dataset.name}, train` }] }),
      ...(model !== undefined && { other: [{ name: `model ${model.name}`, ...origin(model.revision) }] }),
    },
    method: {
      automatic: true,
      ...(dataset.tieRule !== undefined && { 'score ties': dataset.tieRule }),
      retrieval: [
        {
          name: arch.name,
          method: arch.family ?? arch.name,
          ...(arch.pooling !== null && { pooling: arch.pooling }),
          ...(device.searcher !== null && { searcher: device.searcher }),
        },
      ],
    },
  };
}
