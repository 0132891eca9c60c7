/** `bench train`: a checkpoint for every architecture and seed asked for. */

import { jsonText } from '../json.js';
import type { RunRequest } from '../pipeline/run-request.js';
import type { Command } from './command.js';
import { refuseIdle } from './idle-options.js';
import { beginJob } from './job.js';
import { datasetOptions, makingOptions, someOptions, trainingOptions } from './options.js';
import { stageRequest, systemsIn, systemsNamed, trainingStart } from './request.js';

export const command: Command = {
  usage: '--arch A[,B...] --dataset D [--init C] [--negatives N[,N...]] [options]',
  description:
    'Trains, and prints the folder of each checkpoint on a line of its own. A training that was stopped goes on when it is started again; one that is in the cache is not done again.',
  options: {
    arch: { type: 'text', describe: "architectures, 'bench list architectures'", required: true },
    ...datasetOptions,
    ...trainingOptions,
    ...someOptions(
      'seeds',
      'model',
      'preset',
      'stages',
      'engine',
      'device',
      'searcher',
      'threads',
      'cache',
      'store',
      'config',
      'set',
    ),
    ...makingOptions,
    json: { type: 'switch', describe: 'print what was trained as JSON, an array where there are several' },
  },
  examples: [
    ['bench train --arch mlr-sc --dataset sample', 'the last line is the checkpoint'],
    [
      'bench train --arch mlr-sc --dataset squad --init C --negatives bm25,mined.tsv.gz --set train.negativePool=50',
      'a second stage: from the checkpoint C, on the original examples with negatives of BM25 and on mined ones, 50 to draw from in each',
    ],
  ],
  async run(values, _positionals, print) {
    const architectures = await systemsIn(values);
    const { configOn, ...start } = await trainingStart(values);
    const config = configOn(String(values.dataset));
    const systems = await systemsNamed(architectures);
    // What is not trained at all is refused for that.
    if (systems.every(({ isTrained }) => isTrained)) refuseIdle(values, systems);
    const asked = await stageRequest(values, config);
    const requests = architectures.flatMap((architecture) =>
      config.seeds.map((seed): RunRequest => ({ ...asked, ...start, architecture, seed })),
    );
    const { trainOnly } = await import('../pipeline/one-stage.js');
    const progress = beginJob(values);
    const trained = [];
    try {
      for (const [i, request] of requests.entries()) {
        const { architecture, seed } = request;
        if (requests.length > 1)
          progress.within(`${architecture}, seed ${seed}, ${i + 1} of ${requests.length}`);
        const one = await trainOnly(request, progress);
        trained.push(one);
        for (const warning of one.warnings) progress.remark(`note: ${warning}`);
        if (values.json === true) continue;
        const { epochs, bestEpoch } = one.training;
        const kept = bestEpoch === null ? 'as it was' : `epoch ${bestEpoch + 1} of ${epochs.length} kept`;
        print(`${one.architecture} on ${one.dataset}, seed ${one.seed}: ${kept}\n`);
        print(`${one.checkpoint}\n`, 'data');
      }
    } finally {
      // The trainings that were finished before a failure are worth seeing.
      if (values.json === true && trained.length > 0) {
        print(jsonText(requests.length === 1 ? trained[0] : trained));
      }
    }
    return 0;
  },
};
