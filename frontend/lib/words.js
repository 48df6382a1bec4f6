// The texts of the page in its language: one file for each language, all with the same keys.

import { language } from './language.js';

export const { words } = await import(`../words/${language}.js`);

const roots = () => [document, ...[...document.querySelectorAll('template')].map(({ content }) => content)];

/** Puts the page's language into index.html, which is in English: [data-words] are texts, [data-words-label] are labels. */
export function localise() {
  const texts = words.page;
  if (!texts) return;
  for (const root of roots()) {
    for (const element of root.querySelectorAll('[data-words]')) element.textContent = texts[element.dataset.words];
    for (const element of root.querySelectorAll('[data-words-label]')) {
      element.setAttribute('aria-label', texts[element.dataset.wordsLabel]);
    }
  }
}
