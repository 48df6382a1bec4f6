// On a server that keeps every picture it answers: delete this one again.

import { forget } from './afterwards.js';
import { button, make } from './make.js';
import { patiently } from './patience.js';
import { words } from './words.js';

const texts = words.forget;

/** @param {HTMLElement} panel @param {object} answer @param {{key: object, catalog: object, signal: AbortSignal}} around */
export function open(panel, { reply }, { key, catalog, signal }) {
  const status = make('p', { className: 'extra-status', role: 'status', testid: 'forget-status' });
  const remove = button(texts.remove, async () => {
    status.textContent = texts.removing;
    try {
      const onWait = (sentence, seconds) => { status.textContent = words.retryIn(sentence, seconds); };
      await patiently(() => forget(reply.id, { key: key.get(), signal }), { signal, key, onWait });
      remove.remove();
      status.textContent = texts.removed;
    } catch ({ message }) {
      status.replaceChildren(make('span', { className: 'error-sentence', textContent: message }));
    }
  }, { testid: 'forget-send' });
  const kept = make('p', { textContent: texts.kept(Math.ceil(catalog.uploads_max_age_days)) });
  panel.replaceChildren(kept, make('div', { className: 'extra-buttons' }, remove), status);
}
