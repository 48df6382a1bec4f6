// One input's card through its states: busy, waiting, done, error. It owns its elements and its right to be cancelled.

import { createActions } from './actions.js';
import { announce } from './announce.js';
import { copyOnClick } from './copy.js';
import { faceOf } from './faces.js';
import { make } from './make.js';
import { showPicture } from './thumb.js';
import { showTiming } from './timing.js';
import { words } from './words.js';

/** @param {{onRemove: Function, onChange: Function, onOpen: Function, server: () => object}} around each called with the card */
export function createCard({ onRemove, onChange, onOpen, server }) {
  const element = document.getElementById('card-template').content.firstElementChild.cloneNode(true);
  const part = (selector) => element.querySelector(selector);
  const button = (name) => part(`[data-testid="${name}"]`);
  const actions = createActions(element, server);
  let name = '';
  let stop = new AbortController();
  let offers = {};
  let outcome = {};

  /** Shows one state's parts and hides the others'; a button that disappears hands its focus on. */
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
    /** What is known of this input: its name, and the answer or the failure once there is one. */
    get outcome() {
      return { name, ...outcome };
    },

    /** Shows what was given: a picture's file, a text or numbers, with a title where there is no file name to show. */
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

    /** A new journey begins on this card; an earlier one is cancelled. @returns {AbortSignal} */
    begin() {
      card.abandon();
      return stop.signal;
    },
    /** Ends the journey without a word: the card is removed or about to be taken over. */
    abandon() {
      stop.abort();
      stop = new AbortController();
    },
    isSuperseded: (signal) => signal !== stop.signal,
    cancel: () => stop.abort(),

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
      const face = faceOf(reply.predictions, model);
      outcome = { reply, told: face.told };
      part('.top').hidden = !face.title;
      part('.top-label').textContent = face.title;
      part('.top-number').textContent = face.number;
      part('.brief').textContent = face.told;
      part('.answer-body').replaceChildren(face.body);
      part('.meta-model').textContent = [reply.model?.name, reply.model?.version].filter(Boolean).join(' ');
      part('.meta-id').textContent = reply.id ?? '';
      part('.card-answer').hidden = part('.card-foot').hidden = false;
      showTiming(part('.timing'), serverTiming, total);
      enter('done', '');
      actions.offer(answer);
      announce(words.said(name, face.told));
    },

    /** @param {Error} failure @param {{again?: () => void, smaller?: () => void}} [remedies] offered where they may help */
    failed(failure, remedies = {}) {
      offers = remedies;
      outcome = { failure };
      element.dataset.code = failure.code;
      part('.card-answer').hidden = part('.card-foot').hidden = true;
      part('.error-sentence').textContent = failure.message;
      part('.error-sentence').lang = failure.spoken ?? '';
      part('.error-meta').replaceChildren(...facts(failure));
      button('retry').hidden = !(remedies.again && failure.mayPass);
      button('shrink').hidden = !(remedies.smaller && failure.wantsSmaller);
      enter('error', '');
      announce(words.said(name, failure.message));
    },
  };

  button('cancel').addEventListener('click', card.cancel);
  button('remove').addEventListener('click', () => onRemove(card));
  button('open').addEventListener('click', () => onOpen(card));
  button('retry').addEventListener('click', () => offers.again());
  button('shrink').addEventListener('click', () => offers.smaller());
  copyOnClick(button('copy-json'), () => JSON.stringify(outcome.reply, null, 2));
  return card;
}

const kindOfFile = (file) => /\.(\w{1,5})$/.exec(file.name)?.[1].toUpperCase() ?? '';

/** What an operator needs to find a failure again, one element each; the server's own words where they were translated. */
function facts({ status, code, id, original }) {
  return [original, status && words.httpStatus(status), code, id && words.errorId(id)]
    .filter(Boolean)
    .map((textContent) => make('span', { textContent, lang: textContent === original ? 'en' : '' }));
}
