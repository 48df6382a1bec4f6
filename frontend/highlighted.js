// A text with the words that mattered: a solid line and + for what speaks for the answer, dashed and − for against.

import { change } from './heatmap.js';
import { number, points } from './numbers.js';
import { kindOf } from './predictions.js';
import { make } from './make.js';
import { words } from './words.js';

const FAINT = 0.08; // of the strongest weight: below that a word is left plain
const LEAST = 0.002; // a change of the answer that nobody would call one

/** @param {{label: string, words: {text: string, start: number, end: number, weight: number}[]}} reply @returns {HTMLElement} */
export function highlightedView(reply) {
  const { label, words: parts } = reply;
  const largest = Math.max(LEAST, ...parts.map(({ weight }) => Math.abs(weight)));
  const best = parts.reduce((one, other) => (other.weight > one.weight ? other : one), parts[0]);
  const told = best && best.weight >= LEAST
    ? words.why.wordsRest(label, best.text, change(reply, best.weight))
    : words.why.nothingMatters(label);
  return make('div', { className: 'why-text' },
    make('p', { testid: 'why-told', textContent: told }),
    make('p', { className: 'why-words', testid: 'why-words' }, ...parts.flatMap((one) => [word(one, largest, reply), ' '])),
    make('p', { className: 'quiet', textContent: words.why.wordNote }));
}

function word({ text, weight }, largest, reply) {
  const share = weight / largest;
  if (Math.abs(share) < FAINT) return text;
  const sign = weight > 0 ? '+' : '−';
  const size = kindOf(reply) === 'probability' ? points(weight) : number(Math.abs(weight));
  const drawn = make('mark', { className: weight > 0 ? 'towards' : 'against' }, text,
    make('small', { textContent: `${sign}${size}` }));
  drawn.style.setProperty('--weight', `${Math.round(Math.abs(share) * 100)}%`);
  return drawn;
}
