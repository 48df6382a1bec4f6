// The "Use it from code" panel: snippets with this server's real address and the chosen model, each with a copy button.

import { urlFor } from '../api/model.js';
import { snippetsFor } from '../api/snippets.js';
import { copyOnClick } from '../lib/copy.js';
import { createTabs } from '../lib/tabs.js';

const LANGUAGES = ['curl', 'javascript', 'python'];

const panel = (language) => document.getElementById(`code-${language}`);
const codeOf = (language) => panel(language).querySelector('code');

/** @param {{get: () => string}} key @returns {{show: (model: object | undefined) => void}} */
export function createCodePanel(key) {
  createTabs(document.getElementById('code-tabs'));
  for (const language of LANGUAGES) {
    const code = codeOf(language);
    copyOnClick(panel(language).querySelector('button'), () => code.textContent, code);
  }

  function show(model) {
    const url = new URL(urlFor('predict', model), document.baseURI).href;
    const snippets = snippetsFor({ url, model, keyed: key.get() !== '' });
    for (const language of LANGUAGES) codeOf(language).textContent = snippets[language];
  }

  return { show };
}
