// Two models, or two versions of one, on the same input: label by label, with a bar for each.

import { byLabel, formatNumber, numberOf } from '../answer/prediction.js';
import { predict } from '../api/client.js';
import { withRetries } from '../api/failure.js';
import { hasOneLabel, titleOf, topOf } from '../api/model.js';
import { announce, make } from '../lib/dom.js';
import { words } from '../lib/words.js';

const texts = words.compare;

/** @param {HTMLElement} panel @param {object} answer @param {{key: object, models: object, signal: AbortSignal}} services */
export function openComparison(panel, answer, { key, models, signal }) {
  const others = models.comparableWith(answer.model);
  const picker = make('select', { testid: 'compare-with' }, ...others.map((other, i) => new Option(titleOf(other), i)));
  const status = make('p', { className: 'extra-status', role: 'status', testid: 'compare-status' });
  const view = make('div', { testid: 'compare-view' });

  async function request() {
    const other = others[picker.value];
    const onWait = (sentence, seconds) => { status.textContent = seconds === null ? sentence : words.retryIn(sentence, seconds); };
    status.textContent = texts.asking;
    try {
      const work = () => predict(answer.input, { model: other, top: topOf(other), key: key.get(), signal });
      const { reply } = await withRetries(work, { signal, key, onWait });
      if (others[picker.value] !== other) return;
      status.textContent = '';
      view.replaceChildren(table(answer, { reply, model: other }));
      announce(view.querySelector('.compare-verdict').textContent);
    } catch (failure) {
      if (signal.aborted) return;
      view.replaceChildren();
      status.replaceChildren(make('span', { className: 'error-sentence', textContent: failure.message }));
    }
  }

  picker.addEventListener('change', request);
  panel.replaceChildren(make('label', { className: 'extra-field' }, `${texts.with} `, picker), status, view);
  request();
}

function table(one, other) {
  const [ours, theirs] = [one, other].map(({ reply }) => byLabel(reply.predictions));
  const labels = [...new Set([...ours.keys(), ...theirs.keys()])];
  const largest = Math.max(...[...ours.values(), ...theirs.values()].map((prediction) => Math.abs(numberOf(prediction)))) || 1;
  const head = make('tr', {}, ...[texts.label, titleOf(one.model), titleOf(other.model)].map((textContent) => make('th', { scope: 'col', textContent })));
  const body = labels.map((label) => make('tr', { testid: 'compared' },
    make('th', { scope: 'row', textContent: label }),
    ...[ours, theirs].map((side) => cell(side.get(label), largest))));
  return make('div', {},
    make('p', { className: 'compare-verdict', testid: 'compare-verdict', textContent: verdict(one, other, ours, theirs) }),
    make('table', { className: 'compare' }, make('thead', {}, head), make('tbody', {}, ...body)));
}

function cell(prediction, largest) {
  if (!prediction) return make('td', { className: 'quiet', textContent: texts.missing });
  const bar = make('span', { className: 'compare-bar' });
  const share = 'probability' in prediction ? prediction.probability : Math.abs(numberOf(prediction)) / largest;
  bar.style.setProperty('--share', share);
  bar.classList.toggle('negative', numberOf(prediction) < 0);
  return make('td', {}, make('span', { textContent: formatNumber(prediction) }), bar);
}

function verdict(one, other, ours, theirs) {
  if (hasOneLabel(one.model) && hasOneLabel(other.model)) {
    const [mine, yours] = [one, other].map(({ reply }) => reply.predictions[0].label);
    return mine === yours ? texts.agree(mine) : texts.differ(mine, yours);
  }
  const changes = [...ours].filter(([label]) => theirs.has(label))
    .map(([label, prediction]) => [label, numberOf(theirs.get(label)) - numberOf(prediction)])
    .sort(([, a], [, b]) => Math.abs(b) - Math.abs(a));
  if (changes.length === 0 || changes[0][1] === 0) return texts.same;
  return texts.largest(changes[0][0], formatNumber({ value: changes[0][1] }));
}
