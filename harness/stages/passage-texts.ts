/** The texts of a collection, laid out so that those of hits can be read. */
import { writePassageTexts } from '../index/passage-texts.js';
import { joinedText } from '../pipeline/joined-text.js';
import type { Stage } from './graph.js';
import type { Known } from './known.js';

export interface TextsFacts {
  passages: number;
  /** Of all texts, as UTF-8. */
  bytes: number;
}

export function passageTexts({ dataset, code }: Known): Stage<TextsFacts> {
  return {
    name: 'texts',
    kind: 'indexes',
    version: 'passage texts 1',
    needs: {},
    inputs: () => ({ dataset: dataset.identity, ...code('passage texts', { dataset }) }),
    about: { dataset: dataset.name },
    async make(folder, { dataset, progress }) {
      const stage = progress.stage('texts', dataset.passageCount, 'passages');
      const all = async function* () {
        for await (const passage of dataset.passages()) yield joinedText(passage);
      };
      const facts = await writePassageTexts(folder, all(), (passages) => {
        stage.update(passages);
        progress.checkInterrupted();
      });
      stage.end();
      return facts;
    },
  };
}
