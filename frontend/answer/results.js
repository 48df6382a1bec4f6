// The answers of this visit, newest first, as a list or a gallery. They are kept in this tab only.

import { loadPart } from '../api/page_version.js';
import { announce, make } from '../lib/dom.js';
import { words } from '../lib/words.js';
import { createCard } from './card.js';
import { numberOf } from './prediction.js';

const element = (id) => document.getElementById(id);

/**
 * @param {(card: HTMLElement) => object} createActions the buttons below an answer
 * @returns {{add: (input: object) => object, has: (card: object) => boolean, isEmpty: () => boolean, reveal: (card: object) => object, expect: (n: number) => void}}
 */
export function createResults(createActions) {
  const list = element('results');
  const cards = new Set();
  const gallery = createGallery(list, cards);
  const options = { createActions, onRemove: remove, onChange: gallery.refresh, onOpen: gallery.open };

  function refresh() {
    const empty = cards.size === 0;
    list.hidden = element('visit-note').hidden = empty;
    element('results-empty').hidden = !empty;
    gallery.refresh();
  }

  function remove(card) {
    card.abandon();
    cards.delete(card);
    const focused = card.element.contains(document.activeElement);
    const neighbour = card.element.nextElementSibling ?? card.element.previousElementSibling;
    card.element.remove();
    refresh();
    if (focused) (neighbour?.querySelector('[data-testid="remove"]') ?? element('stage')).focus();
  }

  element('results-clear').addEventListener('click', () => {
    [...cards].forEach(remove);
    element('stage').focus();
  });

  return {
    add(input) {
      const card = createCard(options);
      cards.add(card);
      list.prepend(card.element);
      card.show(input);
      refresh();
      return card;
    },
    has: (card) => cards.has(card),
    isEmpty: () => cards.size === 0,
    /** Announces `n` inputs at once; many are shown side by side. */
    expect: gallery.expect,
    /** Scrolls a new card into view if it is not, as on a phone. */
    reveal(card) {
      card.element.scrollIntoView({ block: 'nearest' });
      return card;
    },
  };
}

const MANY = 6; // inputs at once from which the gallery is shown
const FAILED = '\u0000failed'; // the filter's value for failures: no model has such a label

const best = ({ outcome: { reply } }) => reply?.predictions[0];
const labelOf = (card) => (card.outcome.failure ? FAILED : best(card)?.label ?? '');
const certainty = (card) => numberOf(best(card) ?? {}) ?? -Infinity;

const ORDERS = {
  newest: null, // the order in which they came
  surest: (one, other) => certainty(other) - certainty(one),
  unsurest: (one, other) => certainty(one) - certainty(other),
  name: (one, other) => one.outcome.name.localeCompare(other.outcome.name),
};

/** List or gallery, filter, order and download. @param {HTMLElement} list @param {Set<object>} cards oldest first */
function createGallery(list, cards) {
  const filter = element('results-filter');
  const order = element('results-order');
  const views = { list: element('view-list'), gallery: element('view-gallery') };
  let pending = false;

  function view(name) {
    list.dataset.view = name;
    for (const [one, button] of Object.entries(views)) button.setAttribute('aria-pressed', one === name);
  }

  function arrange() {
    pending = false;
    element('results-tools').hidden = element('results-views').hidden = cards.size < 2;
    offerLabels();
    let shown = 0;
    for (const card of cards) {
      card.element.hidden = Boolean(filter.value) && labelOf(card) !== filter.value;
      if (!card.element.hidden) shown += 1;
    }
    element('results-count').textContent = cards.size < 2 ? '' : words.counted(shown, cards.size);
    if (!list.contains(document.activeElement)) sort();
  }

  /** Moves only cards that are out of place: moving an element restarts its animations. */
  function sort() {
    const byOrder = ORDERS[order.value];
    const sorted = [...cards].reverse();
    if (byOrder) sorted.sort(byOrder);
    sorted.forEach(({ element: card }, i) => {
      if (list.children[i] !== card) list.insertBefore(card, list.children[i] ?? null);
    });
  }

  function offerLabels() {
    const labels = [...new Set([...cards].map(labelOf))].filter(Boolean).sort();
    const chosen = cards.size > 1 && labels.includes(filter.value) ? filter.value : '';
    const options = labels.map((label) => new Option(label === FAILED ? words.failedLabel : label, label));
    if (String([...filter.options].slice(1).map(({ value }) => value)) !== String(labels)) {
      filter.replaceChildren(new Option(words.anyLabel, ''), ...options);
    }
    filter.value = chosen;
  }

  /** Arranges the cards once per frame, however many have changed. */
  function refresh() {
    if (pending) return;
    pending = true;
    requestAnimationFrame(arrange);
  }

  async function download(format) {
    let exportAnswers;
    try {
      ({ exportAnswers } = await loadPart(() => import('./export.js')));
    } catch ({ message }) {
      element('results-count').textContent = message; // until the answers change
      announce(message);
      return;
    }
    const { blob, name } = exportAnswers(format, [...cards].map(({ outcome }) => outcome));
    const url = URL.createObjectURL(blob);
    make('a', { href: url, download: name }).click();
    setTimeout(() => URL.revokeObjectURL(url), 1000);
  }

  for (const [name, button] of Object.entries(views)) button.addEventListener('click', () => view(name));
  filter.addEventListener('change', arrange);
  order.addEventListener('change', arrange);
  element('take-csv').addEventListener('click', () => download('csv'));
  element('take-json').addEventListener('click', () => download('json'));
  view('list');

  return {
    refresh,
    /** `n` inputs are about to come. */
    expect: (n) => n >= MANY && view('gallery'),
    /** Shows one card of the gallery in full. */
    open(card) {
      view('list');
      card.element.scrollIntoView({ block: 'start' });
      card.element.querySelector('[data-testid="remove"]').focus({ preventScroll: true });
    },
  };
}
