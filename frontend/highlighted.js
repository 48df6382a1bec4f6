// A text with the words that mattered: a solid line and + for what speaks for the answer, dashed and − for against.

import { make } from './make.js';
import { change, faint, size } from './weights.js';
import { words } from './words.js';

const FAINT = 0.08; // of the strongest weight: below that a word is left plain

/** @param {{label: string, words: {text: string, start: number, end: number, weight: number}[]}} reply @returns {HTMLElement} */
export function highlightedView(reply) {
  const { label, words: parts } = reply;
  const largest = Math.max(faint(reply), ...parts.map(({ weight }) => Math.abs(weight)));
  const best = parts.reduce((one, other) => (other.weight > one.weight ? other : one), parts[0]);
  const told = best && best.weight >= faint(reply)
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
  const drawn = make('mark', { className: weight > 0 ? 'towards' : 'against' }, text,
    make('small', { textContent: `${sign}${size(reply, weight)}` }));
  drawn.style.setProperty('--weight', `${Math.round(Math.abs(share) * 100)}%`);
  return drawn;
}
