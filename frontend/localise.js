// index.html in the page's language. English stands in the file itself; another language brings its own, by key.

import { words } from './words.js';

const pieces = () => [document, ...[...document.querySelectorAll('template')].map(({ content }) => content)];

/** Fills [data-words] with texts and [data-words-label] with labels. */
export function localise() {
  const texts = words.page;
  if (!texts) return;
  for (const piece of pieces()) {
    for (const element of piece.querySelectorAll('[data-words]')) element.textContent = texts[element.dataset.words];
    for (const element of piece.querySelectorAll('[data-words-label]')) {
      element.setAttribute('aria-label', texts[element.dataset.wordsLabel]);
    }
  }
}
