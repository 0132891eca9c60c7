/**
 * `npm run perf -- bm25 [PASSAGES]`: BM25 over made passages, 500,000 unless said otherwise: passages indexed per second, what
 * the index takes, and the latency of queries, each searched by itself.
 */
import type { Passage } from '../contracts.js';
import { bm25Size, openBm25Index } from '../index/bm25-index.js';
import { writeBm25Index } from '../index/bm25-writer.js';
import { Bm25Searcher } from '../search/bm25.js';
import { quantile } from '../statistics/summary.js';
import { EnglishAnalyzer } from '../text/english-analyzer.js';
import { wholeCount } from './counts.js';
import { inFolder } from './made-folder.js';
import { MadeText, peakMiB } from './made-text.js';

const depth = 100;
const queries = 500;
const queryWords = 8;

async function* made(count: number): AsyncGenerator<Passage> {
  const text = new MadeText(200_000, 1);
  for (let i = 0; i < count; i++) yield { passageId: String(i), title: text.text(2), text: text.text(90) };
}

export default async function perfBm25([passages = '500000']: readonly string[]): Promise<void> {
  const count = wholeCount('passages', passages);
  await inFolder('bm25', async (folder) => {
    let from = performance.now();
    let characters = 0;
    for await (const { text } of made(count)) characters += text.length;
    const making = (performance.now() - from) / 1000;

    const analyzer = await EnglishAnalyzer.open({ stemmer: 'porter', stopWords: true });
    from = performance.now();
    const facts = await writeBm25Index({ passages: made(count), analyzer, folder });
    const building = (performance.now() - from) / 1000;
    const own = building - making;
    console.log(
      `${count} passages, ${(characters / 1e6).toFixed(0)} million characters, ${facts.terms} terms`,
    );
    console.log(
      `indexed in ${building.toFixed(1)} s, ${making.toFixed(1)} s of them making the text: ${Math.round(count / own)} passages/s`,
    );
    const { totalBytes, ...parts } = await bm25Size(folder);
    console.log(
      `index: ${(totalBytes / 1e6).toFixed(1)} MB, ${(totalBytes / count).toFixed(1)} bytes per passage`,
    );
    for (const [part, bytes] of Object.entries(parts))
      console.log(`  ${part.padEnd(18)} ${(bytes / 1e6).toFixed(1)} MB`);
    console.log(`resident at the highest while indexing: ${peakMiB().toFixed(0)} MiB`);

    from = performance.now();
    const index = await openBm25Index(folder, 2 ** 32);
    const searcher = await Bm25Searcher.open(index);
    console.log(`opened in ${(performance.now() - from).toFixed(0)} ms`);
    const text = new MadeText(200_000, 1);
    const asked = Array.from({ length: queries }, () => text.text(queryWords));
    const times = new Float64Array(queries);
    for (const [i, query] of [...asked.slice(0, 20), ...asked].entries()) {
      from = performance.now();
      await searcher.search([query], depth);
      // The first twenty warm up, and are searched again.
      if (i >= 20) times[i - 20] = performance.now() - from;
    }
    times.sort();
    const [p50, p95, p99] = [0.5, 0.95, 0.99].map((q) => quantile(times, q).toFixed(1));
    console.log(
      `${queries} queries of ${queryWords} words, depth ${depth}: p50 ${p50} ms, p95 ${p95} ms, p99 ${p99} ms`,
    );
    await index.close();
  });
}
