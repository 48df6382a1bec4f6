// The buttons below an answer: explain, correct, delete, compare. The code of each is loaded when it is first used.

import { hasOneLabel, takesPictures } from '../api/model.js';
import { loadPart } from '../api/page_version.js';
import { make } from '../lib/dom.js';

const ACTIONS = {
  why: {
    isOffered: ({ model, input }) => takesPictures(model) || input.text !== undefined,
    load: async () => (await import('./explain.js')).openExplanation,
  },
  correct: {
    isOffered: ({ model }, { catalog }) => hasOneLabel(model) && ['flagged', 'all'].includes(catalog.keep_uploads),
    load: async () => (await import('./feedback.js')).openCorrection,
  },
  forget: {
    isOffered: ({ input }, { catalog }) => input.file && catalog.keep_uploads === 'all',
    load: async () => (await import('./feedback.js')).openDeletion,
  },
  compare: {
    isOffered: ({ model }, { models }) => models.comparableWith(model).length > 0,
    load: async () => (await import('./compare.js')).openComparison,
  },
};

/**
 * @param {HTMLElement} card
 * @param {() => {key: object, catalog: object, models: object}} services what the actions need
 * @returns {{offer: (answer: object) => void, withdraw: () => void}}
 */
export function createActions(card, services) {
  const bar = card.querySelector('[data-testid="actions"]');
  const panel = card.querySelector('[data-testid="extra"]');
  const button = (name) => bar.querySelector(`[data-testid="${name}"]`);
  let answer = null;
  let opened = null; // the name of the action whose panel is open
  let controller = new AbortController(); // ends what the open panel does

  function close() {
    controller.abort();
    if (opened) button(opened).setAttribute('aria-expanded', false);
    opened = null;
    panel.hidden = true;
    panel.replaceChildren();
  }

  async function toggle(name) {
    const wasOpen = opened === name;
    close();
    if (wasOpen) return;
    opened = name;
    controller = new AbortController();
    const { signal } = controller;
    button(name).setAttribute('aria-expanded', true);
    let open;
    try {
      open = await loadPart(ACTIONS[name].load);
    } catch ({ message }) {
      open = () => panel.replaceChildren(make('p', { className: 'error-sentence', role: 'alert', textContent: message }));
    }
    if (signal.aborted) return;
    panel.hidden = false;
    panel.dataset.action = name;
    open(panel, answer, { ...services(), signal, close });
  }

  for (const name of Object.keys(ACTIONS)) button(name).addEventListener('click', () => toggle(name));

  return {
    offer(given) {
      answer = given;
      for (const [name, { isOffered }] of Object.entries(ACTIONS)) button(name).hidden = !isOffered(answer, services());
      bar.hidden = [...bar.children].every(({ hidden }) => hidden);
    },
    withdraw() {
      close();
      bar.hidden = true;
    },
  };
}
