// "Why this answer?": asks the server which parts of the input the answer rests on, and shows them in place.

import { explain } from './afterwards.js';
import { announce } from './announce.js';
import { heatmapView } from './heatmap.js';
import { highlightedView } from './highlighted.js';
import { button, make } from './make.js';
import { patiently } from './patience.js';
import { words } from './words.js';

/** @param {HTMLElement} panel @param {object} answer @param {{key: object, signal: AbortSignal}} around the signal ends it */
export function open(panel, answer, { key, signal }) {
  const labels = answer.reply.predictions.map(({ label }) => label);
  const picker = make('select', { testid: 'why-label', ariaLabel: words.why.of }, ...labels.map((label) => new Option(label, label)));
  const status = make('p', { className: 'extra-status', role: 'status', testid: 'why-status' });
  const view = make('div', { testid: 'why-view' });
  let asking = new AbortController();

  async function ask() {
    asking.abort();
    asking = new AbortController();
    const until = AbortSignal.any([signal, asking.signal]);
    const onWait = (sentence, seconds) => { status.textContent = seconds === null ? sentence : words.retryIn(sentence, seconds); };
    const work = () => {
      status.textContent = words.why.asking;
      return explain(answer, picker.value, { key: key.get(), signal: until });
    };
    view.setAttribute('aria-busy', true);
    try {
      const reply = await patiently(work, { signal: until, key, onWait });
      const isText = answer.input.text !== undefined;
      view.replaceChildren(isText ? highlightedView(reply) : heatmapView(reply, answer.input.file));
      status.textContent = '';
      announce(view.querySelector('[data-testid="why-told"]').textContent);
    } catch (failure) {
      if (until.aborted) return;
      view.replaceChildren();
      status.replaceChildren(make('span', { className: 'error-sentence', testid: 'why-error', textContent: failure.message }),
        ' ', button(words.why.again, ask));
    }
    view.removeAttribute('aria-busy');
  }

  picker.addEventListener('change', ask);
  panel.replaceChildren(make('label', { className: 'extra-field' }, `${words.why.of} `, picker), status, view);
  ask();
}
