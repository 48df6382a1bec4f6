// "Say what was wrong": the label that the answer should have been, stored with consent and deleted on request.

import { correct, forget } from './afterwards.js';
import { button, make } from './make.js';
import { patiently } from './patience.js';
import { shown } from './predictions.js';
import { words } from './words.js';

const LISTED = 12; // labels that a list shows at once; of more one types the beginning

const texts = words.correct;
let numbered = 0;

/** @param {HTMLElement} panel @param {object} answer @param {{key: object, catalog: object, signal: AbortSignal, close: () => void}} around */
export function open(panel, answer, { key, catalog, signal, close }) {
  const [top] = answer.reply.predictions;
  const status = make('p', { className: 'extra-status', role: 'status', testid: 'correct-status' });
  const how = () => ({ key: key.get(), signal });
  const doing = { signal, key, onWait: (sentence, seconds) => say(words.retryIn(sentence, seconds)) };
  const say = (...content) => status.replaceChildren(...content);
  const fail = ({ message }) => signal.aborted || say(make('span', { className: 'error-sentence', textContent: message }));

  async function store(event) {
    event.preventDefault();
    const label = field.value.trim();
    if (!answer.model.labels.includes(label)) return fail({ message: texts.unknown(label) });
    say(texts.sending);
    try {
      const { id } = await patiently(() => correct(answer, label, `${top.label} ${shown(top)}`, how()), doing);
      form.remove();
      say(texts.thanks(label), ' ', button(texts.remove, () => remove(id), { testid: 'correct-delete' }));
      status.querySelector('button').focus();
    } catch (failure) {
      fail(failure);
    }
    return undefined;
  }

  async function remove(id) {
    say(texts.removing);
    try {
      await patiently(() => forget(id, how()), doing);
      say(texts.removed);
    } catch (failure) {
      fail(failure);
    }
  }

  const field = labelField(answer.model.labels, top.label);
  const kind = answer.input.text === undefined ? 'picture' : 'text';
  const form = make('form', { className: 'correct', testid: 'correct-form' },
    make('label', { className: 'extra-field' }, `${texts.question} `, field),
    make('p', { className: 'quiet', testid: 'consent', textContent: texts.consent(kind, Math.ceil(catalog.uploads_max_age_days)) }),
    make('div', { className: 'extra-buttons' },
      make('button', { className: 'button small primary', textContent: texts.send, testid: 'correct-send' }),
      button(texts.dismiss, close)));
  form.addEventListener('submit', store);
  panel.replaceChildren(form, status);
  field.focus();
}

/** A list of the labels; of very many, a box that completes what is typed. */
function labelField(labels, wrong) {
  const others = labels.filter((label) => label !== wrong);
  if (labels.length <= LISTED) {
    const choose = new Option(texts.choose, '', true, true);
    choose.disabled = true;
    return make('select', { required: true, testid: 'correct-label' }, choose, ...others.map((label) => new Option(label, label)));
  }
  numbered += 1;
  const list = make('datalist', { id: `labels-${numbered}` }, ...others.map((value) => make('option', { value })));
  const input = make('input', { required: true, testid: 'correct-label', autocomplete: 'off', placeholder: texts.choose });
  input.append(list);
  input.setAttribute('list', list.id);
  return input;
}
