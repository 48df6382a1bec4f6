// "Why this answer?": requests the parts of the input that the answer depends on, and shows them in the input.

import { explain } from '../api/client.js';
import { withRetries } from '../api/failure.js';
import { announce, button, make } from '../lib/dom.js';
import { words } from '../lib/words.js';
import { heatmapView, wordsView } from './highlights.js';

const texts = words.why;

/** @param {HTMLElement} panel @param {object} answer @param {{key: object, signal: AbortSignal}} services the signal ends it */
export function openExplanation(panel, answer, { key, signal }) {
  const labels = answer.reply.predictions.map(({ label }) => label);
  const picker = make('select', { testid: 'why-label', ariaLabel: texts.of }, ...labels.map((label) => new Option(label, label)));
  const status = make('p', { className: 'extra-status', role: 'status', testid: 'why-status' });
  const view = make('div', { testid: 'why-view' });
  let previous = new AbortController(); // of the label chosen before

  async function request() {
    previous.abort();
    previous = new AbortController();
    const until = AbortSignal.any([signal, previous.signal]);
    const onWait = (sentence, seconds) => { status.textContent = seconds === null ? sentence : words.retryIn(sentence, seconds); };
    const work = () => {
      status.textContent = texts.explaining;
      return explain(answer, picker.value, { key: key.get(), signal: until });
    };
    view.setAttribute('aria-busy', true);
    try {
      const reply = await withRetries(work, { signal: until, key, onWait });
      const isText = answer.input.text !== undefined;
      view.replaceChildren(isText ? wordsView(reply) : heatmapView(reply, answer.input.file));
      status.textContent = '';
      announce(view.querySelector('[data-testid="why-told"]').textContent);
    } catch (failure) {
      if (until.aborted) return;
      view.replaceChildren();
      status.replaceChildren(make('span', { className: 'error-sentence', testid: 'why-error', textContent: failure.message }),
        ' ', button(texts.again, request));
    }
    view.removeAttribute('aria-busy');
  }

  picker.addEventListener('change', request);
  panel.replaceChildren(make('label', { className: 'extra-field' }, `${texts.of} `, picker), status, view);
  request();
}
