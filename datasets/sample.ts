/**
 * An embedded collection of English-like text: two passages about each of 1,000 invented houses (breweries, schools,
 * lighthouses...), several facts in each, and queries that ask for one fact in words that passages do not use. Towns,
 * rivers and people are shared between houses, so that the words in common point to many passages, and what a query
 * calls a house or asks of it has to be learned. Made by a seeded generator; nothing is read or downloaded.
 */
import type {
  Dataset,
  DatasetPlugin,
  DatasetRequest,
  Passage,
  Qrel,
  Query,
  Split,
} from '../harness/contracts.js';
import { BenchError } from '../harness/errors.js';
import { AnswerMatcher, PassageText } from '../harness/text/answers.js';
import * as words from './sample/words.js';

const seed = 20_250_101;
const housesPerKind = 25;
const counts: Readonly<Record<Split, number>> = { test: 1000, dev: 300, train: 3200 };
const licence = 'CC0 1.0';

/** Mulberry32: a generator of its own, so that the records change with this file alone. */
class Draw {
  #state = seed;

  below(bound: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let z = this.#state;
    z = Math.imul(z ^ (z >>> 15), z | 1);
    z ^= z + Math.imul(z ^ (z >>> 7), z | 61);
    return Math.floor((((z ^ (z >>> 14)) >>> 0) / 4294967296) * bound);
  }

  one<T>(items: readonly T[]): T {
    return items[this.below(items.length)]!;
  }

  /** All items in a drawn order (Fisher and Yates). */
  shuffled<T>(items: readonly T[]): T[] {
    const order = [...items];
    for (let i = order.length - 1; i > 0; i--) {
      const j = this.below(i + 1);
      [order[i], order[j]] = [order[j]!, order[i]!];
    }
    return order;
  }

  value(kind: words.ValueKind): string {
    switch (kind) {
      case 'person':
        return `${this.one(words.forenames)} ${this.one(words.surnames)}`;
      case 'year':
        return String(1780 + this.below(220));
      case 'number':
        return String(12 + this.below(600));
      case 'backer':
        return this.one(words.backers);
      case 'earlier':
        return this.one(words.earlier);
      case 'sight':
        return this.one(words.sights);
      case 'street':
        return this.one(words.streets);
      case 'town':
        return this.one(words.towns);
    }
  }
}

/** What a query can tell a house by; of one kind, no two houses share any of these. */
interface House {
  kind: (typeof words.kinds)[number];
  town: string;
  name: string;
  /** Only where the house is named after a person. */
  surname?: string;
}

/** A fact as one passage states it, with the means to ask for it. */
interface Fact {
  house: House;
  passage: Passage;
  answer: string;
  asks: readonly string[];
}

/** Replaces the letters that stand for words in a template; a sentence begins with a capital. */
function fill(template: string, parts: Readonly<Record<string, string>>): string {
  const text = template.replace(/\b[DNTV]\b/g, (letter) => parts[letter] ?? letter);
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function makeHouses(draw: Draw): House[] {
  return words.kinds.flatMap((kind) => {
    const towns = draw.shuffled(words.towns);
    const surnames = draw.shuffled(words.surnames);
    return Array.from({ length: housesPerKind }, (_, i): House => {
      const house = { kind, town: towns[i]! };
      const surname = surnames[i]!;
      if (draw.below(2) === 0) return { ...house, surname, name: `the ${surname} ${kind.noun}` };
      return { ...house, name: `the ${draw.one([house.town, draw.one(words.epithets)])} ${kind.noun}` };
    });
  });
}

/** The passage of one half of a house's history: an opening, then three or four of the half's facts. */
function tell(
  draw: Draw,
  house: House,
  half: number,
  passageId: string,
): { passage: Passage; facts: Fact[] } {
  const { opens, facts } = words.halves[half]!;
  const opening = fill(draw.one(opens), { N: house.name, T: house.town });
  const told = draw
    .shuffled(facts)
    .slice(0, 3 + draw.below(2))
    .map(({ value, says, asks }) => {
      let answer = draw.value(value);
      while (answer === house.town) answer = draw.value(value);
      return { answer, asks, sentence: fill(draw.one(says), { V: answer }) };
    });
  const text = [opening, ...told.map(({ sentence }) => sentence)].join(' ');
  const passage = { passageId, title: house.name.replace(/^the /, ''), text };
  return { passage, facts: told.map(({ answer, asks }) => ({ house, passage, answer, asks })) };
}

/** A query's text, and the word in it that passages of other houses hold as well. */
function ask(draw: Draw, { house, asks }: Fact): { text: string; shared: string } {
  const called = draw.one(house.kind.asked);
  const shared = draw.one([house.town, house.surname ?? house.town]);
  const mention = draw.one(
    shared === house.town
      ? [`the ${called} in ${shared}`, `the ${called} of ${shared}`, `${shared}'s ${called}`]
      : [`the ${called} named after ${shared}`, `the ${shared} family's ${called}`],
  );
  return { text: fill(draw.one(asks), { D: mention }), shared };
}

interface Part {
  queries: Query[];
  qrels: Qrel[];
  negatives: Map<string, readonly string[]>;
}

/** The whole collection. Passages of all houses are mixed, so that their order tells nothing. */
function generate(): { passages: Passage[]; parts: Record<Split, Part> } {
  const draw = new Draw();
  const passages: Passage[] = [];
  const facts: Fact[] = [];
  const halves = makeHouses(draw).flatMap((house) => words.halves.map((_, half) => ({ house, half })));
  const holding = new Map<string, { passageId: string; text: PassageText }[]>();
  for (const { house, half } of draw.shuffled(halves)) {
    const { passage, facts: told } = tell(draw, house, half, `p${passages.length}`);
    passages.push(passage);
    facts.push(...told);
    const text = new PassageText(passage.text);
    for (const name of new Set(`${passage.title} ${passage.text}`.match(/\p{Lu}\p{L}+/gu))) {
      const found = holding.get(name) ?? [];
      found.push({ passageId: passage.passageId, text });
      holding.set(name, found);
    }
  }
  const unasked = draw.shuffled(facts);
  const part = (split: Split): Part => {
    const made: Part = { queries: [], qrels: [], negatives: new Map() };
    for (const [i, fact] of unasked.splice(0, counts[split]).entries()) {
      const queryId = `${split}-${i}`;
      const { text, shared } = ask(draw, fact);
      made.queries.push({ queryId, text, answers: [fact.answer] });
      made.qrels.push({ queryId, passageId: fact.passage.passageId, relevance: 1 });
      // The same town, river or name, and not the answer: what a search by words would wrongly bring.
      const answer = new AnswerMatcher([fact.answer], 'string');
      const alike = (holding.get(shared) ?? []).filter((passage) => !answer.matches(passage.text));
      const negatives = draw.shuffled(alike).slice(0, 5);
      made.negatives.set(
        queryId,
        negatives.map(({ passageId }) => passageId),
      );
    }
    return made;
  };
  return { passages, parts: { test: part('test'), dev: part('dev'), train: part('train') } };
}

async function open({ folder }: DatasetRequest): Promise<Dataset> {
  if (folder !== undefined) {
    throw new BenchError('USAGE', `sample is embedded, and would not read ${folder}.`, {
      hint: 'Name the dataset of the folder: --dataset beir, squad or trec.',
    });
  }
  const { passages, parts } = generate();
  return {
    name: 'sample',
    version: '1.1',
    licence,
    files: [],
    passageCount: passages.length,
    answerMatching: 'string',
    async *passages() {
      yield* passages;
    },
    queries: async (split) => parts[split].queries,
    qrels: async (split) => parts[split].qrels,
    negatives: async (split) => parts[split].negatives,
  };
}

const sample: DatasetPlugin = {
  summary:
    'embedded: 2,000 generated passages that state facts, and queries that ask for them in other words',
  embedded: true,
  downloads: () => [],
  open,
};

export default sample;
