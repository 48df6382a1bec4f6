// What can be done with an answer: ask why, say what was wrong, delete what was kept, compare. Each is fetched when it is first wanted.

import { takesPictures } from './stage.js';

const hasOneLabel = ({ task, multi_label: several }) => task.endsWith('classification') && !several;

const ACTIONS = {
  why: {
    isOffered: ({ model, input }) => takesPictures(model) || input.text !== undefined,
    load: () => import('./why.js'),
  },
  correct: {
    isOffered: ({ model }, { catalog }) => hasOneLabel(model) && ['flagged', 'all'].includes(catalog.keep_uploads),
    load: () => import('./correct.js'),
  },
  forget: {
    isOffered: ({ input }, { catalog }) => input.file && catalog.keep_uploads === 'all',
    load: () => import('./forget.js'),
  },
  compare: {
    isOffered: ({ model }, { models }) => models.kindred(model).length > 0,
    load: () => import('./compare.js'),
  },
};

/**
 * @param {HTMLElement} card
 * @param {() => {key: object, catalog: object, models: object}} server
 * @returns {{offer: (answer: object) => void, withdraw: () => void}}
 */
export function createActions(card, server) {
  const bar = card.querySelector('[data-testid="actions"]');
  const panel = card.querySelector('[data-testid="extra"]');
  const button = (name) => bar.querySelector(`[data-testid="${name}"]`);
  let answer = null;
  let opened = null; // the name of the action whose panel is open
  let signal = new AbortController();

  function close() {
    signal.abort();
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
    signal = new AbortController();
    const mine = signal.signal;
    button(name).setAttribute('aria-expanded', true);
    const { open } = await ACTIONS[name].load();
    if (mine.aborted) return;
    panel.hidden = false;
    panel.dataset.action = name;
    open(panel, answer, { ...server(), signal: mine, close });
  }

  for (const name of Object.keys(ACTIONS)) button(name).addEventListener('click', () => toggle(name));

  return {
    offer(given) {
      answer = given;
      const around = server();
      for (const [name, { isOffered }] of Object.entries(ACTIONS)) button(name).hidden = !isOffered(answer, around);
      bar.hidden = [...bar.children].every(({ hidden }) => hidden);
    },
    withdraw() {
      close();
      bar.hidden = true;
    },
  };
}
