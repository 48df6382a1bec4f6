// One input's card through its states: busy, waiting, done, error. It owns its elements and its right to be cancelled.

import { announce } from './announce.js';
import { copyOnClick } from './copy.js';
import { kindOf, rows, shown } from './predictions.js';
import { showTiming } from './timing.js';
import { words } from './words.js';

/** @param {(card: object) => void} onRemove */
export function createCard(onRemove) {
  const element = document.getElementById('card-template').content.firstElementChild.cloneNode(true);
  const part = (selector) => element.querySelector(selector);
  const button = (name) => part(`[data-testid="${name}"]`);
  let name = '';
  let stop = new AbortController();
  let retry = null;
  let json = '';

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
    if (focused && document.activeElement?.offsetParent === null) button(active ? 'cancel' : 'remove').focus();
  }

  function progress(value) {
    const bar = part('.card-progress');
    if (value === null) bar.removeAttribute('value');
    else bar.value = value;
  }

  const card = {
    element,

    /** Shows what was given: a picture's file or a text, with a title where there is no file name to show. */
    show({ file, text, title }) {
      name = title ?? file.name;
      part('.card-name').textContent = title ?? words.fileTitle(name, file.size);
      part('.card-progress').setAttribute('aria-label', words.uploadLabel(name));
      button('cancel').setAttribute('aria-label', words.cancel(name));
      button('remove').setAttribute('aria-label', words.remove(name));
      part('.thumb-name').textContent = text ?? /\.(\w{1,5})$/.exec(file.name)?.[1].toUpperCase() ?? '';
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
    waiting: (sentence, seconds) => enter('waiting', words.retryIn(sentence, seconds)),

    answered({ reply, serverTiming, total }) {
      const [top] = reply.predictions;
      const ranked = top !== undefined && kindOf(top) !== 'value';
      json = JSON.stringify(reply, null, 2);
      part('.top').hidden = !ranked;
      part('.top-label').textContent = ranked ? top.label : '';
      part('.top-number').textContent = ranked ? shown(top) : '';
      part('.predictions').replaceChildren(...rows(reply.predictions));
      part('.predictions').classList.toggle('measured', !ranked);
      part('.meta-model').textContent = [reply.model?.name, reply.model?.version].filter(Boolean).join(' ');
      part('.meta-id').textContent = reply.id ?? '';
      part('.card-answer').hidden = part('.card-foot').hidden = false;
      showTiming(part('.timing'), serverTiming, total);
      enter('done', '');
      const told = ranked ? [top] : reply.predictions;
      announce(words.said(name, told.map((one) => `${one.label} ${shown(one)}`).join(', ')));
    },

    /** @param {Error} failure @param {() => void} [again] offered where it may help */
    failed(failure, again) {
      retry = again;
      element.dataset.code = failure.code;
      part('.card-answer').hidden = part('.card-foot').hidden = true;
      part('.error-sentence').textContent = failure.message;
      part('.error-meta').replaceChildren(...facts(failure));
      button('retry').hidden = !(again && failure.mayPass);
      enter('error', '');
      announce(words.said(name, failure.message));
    },
  };

  button('cancel').addEventListener('click', card.cancel);
  button('remove').addEventListener('click', () => onRemove(card));
  button('retry').addEventListener('click', () => retry());
  copyOnClick(button('copy-json'), () => json);
  return card;
}

/** What an operator needs to find a failure again, one element each. */
function facts({ status, code, id }) {
  return [status && words.httpStatus(status), code, id && words.errorId(id)]
    .filter(Boolean)
    .map((textContent) => Object.assign(document.createElement('span'), { textContent }));
}

/** The picture itself where the browser can show it; its URL is given back as soon as it has been read. */
function showPicture(image, file, onUnreadable) {
  const url = URL.createObjectURL(file);
  image.onload = () => {
    image.hidden = false;
    URL.revokeObjectURL(url);
  };
  image.onerror = () => {
    image.hidden = true;
    URL.revokeObjectURL(url);
    onUnreadable();
  };
  image.src = url;
}
