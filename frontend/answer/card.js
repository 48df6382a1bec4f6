// The card of one input: busy, waiting, done or error. It owns its elements and the signal that cancels its request.

import { copyOnClick } from '../lib/copy.js';
import { announce, make, showPicture } from '../lib/dom.js';
import { words } from '../lib/words.js';
import { renderAnswer } from './render.js';
import { showTiming } from './timing.js';

/**
 * @param {{onRemove: Function, onChange: Function, onOpen: Function, createActions: Function}} options the handlers get the card;
 *   createActions makes the buttons below an answer: (card: HTMLElement) => {offer: (answer: object) => void, withdraw: () => void}
 */
export function createCard({ onRemove, onChange, onOpen, createActions }) {
  const element = document.getElementById('card-template').content.firstElementChild.cloneNode(true);
  const part = (selector) => element.querySelector(selector);
  const button = (name) => part(`[data-testid="${name}"]`);
  const actions = createActions(element);
  let name = '';
  let controller = new AbortController();
  let remedies = {};
  let outcome = {};

  /** Shows the parts of one state and hides the others; if the focused button disappears, the focus moves to its neighbour. */
  function enter(state, sentence) {
    const active = state === 'busy' || state === 'waiting';
    const focused = element.contains(document.activeElement) && document.activeElement.matches('button');
    element.dataset.state = state;
    part('.card-status').textContent = sentence;
    button('error').hidden = state !== 'error';
    button('cancel').hidden = !active;
    button('remove').hidden = active;
    part('.card-answer').classList.toggle('stale', active);
    if (state !== 'done') actions.withdraw();
    if (focused && document.activeElement?.offsetParent === null) button(active ? 'cancel' : 'remove').focus();
    onChange(card);
  }

  function progress(value) {
    const bar = part('.card-progress');
    if (value === null) bar.removeAttribute('value');
    else bar.value = value;
  }

  const card = {
    element,
    /** The input's name, and its reply or its failure once there is one. */
    get outcome() {
      return { name, ...outcome };
    },

    /** Shows the input: a picture's file, a text or numbers; the title stands in for a file's name. */
    show({ file, text, instance, title }) {
      name = title ?? file.name;
      outcome = {};
      part('.card-name').textContent = title ?? words.fileTitle(name, file.size);
      part('.card-progress').setAttribute('aria-label', words.uploadLabel(name));
      button('cancel').setAttribute('aria-label', words.cancel(name));
      button('remove').setAttribute('aria-label', words.remove(name));
      button('open').setAttribute('aria-label', words.openCard(name));
      part('.thumb-name').textContent = text ?? (file ? kindOfFile(file) : JSON.stringify(instance));
      part('.thumb-name').classList.toggle('thumb-kind', Boolean(file));
      part('.thumb-name').hidden = Boolean(file);
      if (file) showPicture(part('.thumb img'), file, () => { part('.thumb-name').hidden = false; });
    },

    /** Begins a request and cancels the one before. @returns {AbortSignal} */
    begin() {
      card.abandon();
      return controller.signal;
    },
    /** Ends the request silently: the card is removed or gets a new input. */
    abandon() {
      controller.abort();
      controller = new AbortController();
    },
    isSuperseded: (signal) => signal !== controller.signal,
    cancel: () => controller.abort(),

    queued() {
      progress(0);
      enter('busy', words.queued);
    },
    uploading(share) {
      const percent = Math.round(share * 100);
      progress(percent === 100 ? null : percent);
      enter('busy', percent === 100 ? words.predicting : words.uploading(percent));
    },
    working(sentence) {
      progress(null);
      enter('busy', sentence);
    },
    waiting: (sentence, seconds) => enter('waiting', seconds === null ? sentence : words.retryIn(sentence, seconds)),

    answered(answer) {
      const { reply, model, serverTiming, total } = answer;
      const { title, number, body, summary } = renderAnswer(reply.predictions, model);
      outcome = { reply, summary };
      part('.top').hidden = !title;
      part('.top-label').textContent = title;
      part('.top-number').textContent = number;
      part('.brief').textContent = summary;
      part('.answer-body').replaceChildren(body);
      part('.meta-model').textContent = [reply.model?.name, reply.model?.version].filter(Boolean).join(' ');
      part('.meta-id').textContent = reply.id ?? '';
      part('.card-answer').hidden = part('.card-foot').hidden = false;
      showTiming(part('.timing'), serverTiming, total);
      enter('done', '');
      actions.offer(answer);
      announce(words.announcement(name, summary));
    },

    /** @param {Error} failure @param {{retry?: () => void, sendSmaller?: () => void}} [offered] shown as buttons where they may help */
    failed(failure, offered = {}) {
      remedies = offered;
      outcome = { failure };
      element.dataset.code = failure.code;
      part('.card-answer').hidden = part('.card-foot').hidden = true;
      part('.error-sentence').textContent = failure.message;
      part('.error-sentence').lang = failure.lang ?? '';
      part('.error-meta').replaceChildren(...details(failure));
      button('retry').hidden = !(remedies.retry && failure.isRetryable);
      button('shrink').hidden = !(remedies.sendSmaller && failure.isTooLarge);
      enter('error', '');
      announce(words.announcement(name, failure.message));
    },
  };

  button('cancel').addEventListener('click', card.cancel);
  button('remove').addEventListener('click', () => onRemove(card));
  button('open').addEventListener('click', () => onOpen(card));
  button('retry').addEventListener('click', () => remedies.retry());
  button('shrink').addEventListener('click', () => remedies.sendSmaller());
  copyOnClick(button('copy-json'), () => JSON.stringify(outcome.reply, null, 2));
  return card;
}

const kindOfFile = (file) => /\.(\w{1,5})$/.exec(file.name)?.[1].toUpperCase() ?? '';

/** What an operator needs to find the failure in the log, one element each; with the server's own sentence if it was translated. */
function details({ status, code, id, original }) {
  return [original, status && words.httpStatus(status), code, id && words.errorId(id)]
    .filter(Boolean)
    .map((textContent) => make('span', { textContent, lang: textContent === original ? 'en' : '' }));
}
