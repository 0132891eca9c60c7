/** Cross-encoders as they were published: `cross:FOLDER` or `cross:HUB-ID`, the second of `rerank:A>B`. Nothing is trained. */
import { named } from '../pipeline/named-behind.js';
import { settingsOfPairs } from '../pipeline/settings-in-play.js';

export default named(
  { prefix: 'cross:', what: 'a folder or an id of the hub', form: 'cross:FOLDER-OR-HUB-ID' },
  settingsOfPairs,
  {
    summary: "a published cross-encoder, the second of 'rerank:A>B': it scores query and passage together",
    scoresOnly: true,
    steps: () => import('../pipeline/cross.js'),
  },
);
