// What the server keeps of an input: a correction, stored with consent, and deleting what is stored.

import { formatNumber } from '../answer/prediction.js';
import { correct, deleteUpload } from '../api/client.js';
import { withRetries } from '../api/failure.js';
import { button, make } from '../lib/dom.js';
import { words } from '../lib/words.js';

const MAX_LISTED = 12; // labels in a list; with more the person types the first letters

let fields = 0; // for ids that occur once

/** "Correct the answer". @param {HTMLElement} panel @param {object} answer @param {{key: object, catalog: object, signal: AbortSignal, close: () => void}} services */
export function openCorrection(panel, answer, { key, catalog, signal, close }) {
  const [top] = answer.reply.predictions;
  const status = make('p', { className: 'extra-status', role: 'status', testid: 'correct-status' });
  const options = () => ({ key: key.get(), signal });
  const retrying = { signal, key, onWait: (sentence, seconds) => say(words.retryIn(sentence, seconds)) };
  const say = (...content) => status.replaceChildren(...content);
  const fail = ({ message }) => signal.aborted || say(make('span', { className: 'error-sentence', textContent: message }));

  async function store(event) {
    event.preventDefault();
    const label = field.value.trim();
    if (!answer.model.labels.includes(label)) return fail({ message: words.correct.unknown(label) });
    say(words.correct.sending);
    try {
      const { id } = await withRetries(() => correct(answer, label, `${top.label} ${formatNumber(top)}`, options()), retrying);
      form.remove();
      say(words.correct.thanks(label), ' ', button(words.correct.remove, () => remove(id), { testid: 'correct-delete' }));
      status.querySelector('button').focus();
    } catch (failure) {
      fail(failure);
    }
    return undefined;
  }

  async function remove(id) {
    say(words.correct.removing);
    try {
      await withRetries(() => deleteUpload(id, options()), retrying);
      say(words.correct.removed);
    } catch (failure) {
      fail(failure);
    }
  }

  const field = labelField(answer.model.labels, top.label);
  const kind = answer.input.text === undefined ? 'picture' : 'text';
  const form = make('form', { className: 'correct', testid: 'correct-form' },
    make('label', { className: 'extra-field' }, `${words.correct.question} `, field),
    make('p', { className: 'quiet', testid: 'consent', textContent: words.correct.consent(kind, Math.ceil(catalog.uploads_max_age_days)) }),
    make('div', { className: 'extra-buttons' },
      make('button', { className: 'button small primary', textContent: words.correct.send, testid: 'correct-send' }),
      button(words.correct.dismiss, close)));
  form.addEventListener('submit', store);
  panel.replaceChildren(form, status);
  field.focus();
}

/** A list of the labels; with many of them a box that completes what is typed. */
function labelField(labels, wrong) {
  const others = labels.filter((label) => label !== wrong);
  if (labels.length <= MAX_LISTED) {
    const choose = new Option(words.correct.choose, '', true, true);
    choose.disabled = true;
    return make('select', { required: true, testid: 'correct-label' }, choose, ...others.map((label) => new Option(label, label)));
  }
  fields += 1;
  const list = make('datalist', { id: `labels-${fields}` }, ...others.map((value) => make('option', { value })));
  const input = make('input', { required: true, testid: 'correct-label', autocomplete: 'off', placeholder: words.correct.choose });
  input.append(list);
  input.setAttribute('list', list.id);
  return input;
}

/** "Delete it from the server", where every picture is kept. @param {HTMLElement} panel @param {object} answer @param {{key: object, catalog: object, signal: AbortSignal}} services */
export function openDeletion(panel, { reply }, { key, catalog, signal }) {
  const status = make('p', { className: 'extra-status', role: 'status', testid: 'forget-status' });
  const remove = button(words.forget.remove, async () => {
    status.textContent = words.forget.removing;
    try {
      const onWait = (sentence, seconds) => { status.textContent = words.retryIn(sentence, seconds); };
      await withRetries(() => deleteUpload(reply.id, { key: key.get(), signal }), { signal, key, onWait });
      remove.remove();
      status.textContent = words.forget.removed;
    } catch ({ message }) {
      status.replaceChildren(make('span', { className: 'error-sentence', textContent: message }));
    }
  }, { testid: 'forget-send' });
  const kept = make('p', { textContent: words.forget.kept(Math.ceil(catalog.uploads_max_age_days)) });
  panel.replaceChildren(kept, make('div', { className: 'extra-buttons' }, remove), status);
}
