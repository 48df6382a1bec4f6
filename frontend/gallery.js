// All answers of the visit at a glance: as a list or a gallery, filtered, sorted, and to be taken home.

import { make } from './make.js';
import { numberOf } from './predictions.js';
import { words } from './words.js';

const MANY = 6; // inputs given at once, from which on they are shown as a gallery
const FAILED = '\u0000failed'; // no label of a model

const element = (id) => document.getElementById(id);
const best = ({ outcome: { reply } }) => reply?.predictions[0];
const labelOf = (card) => (card.outcome.failure ? FAILED : best(card)?.label ?? '');
const sureness = (card) => numberOf(best(card) ?? {}) ?? -Infinity;

const ORDERS = {
  newest: null, // as they came
  surest: (one, other) => sureness(other) - sureness(one),
  unsurest: (one, other) => sureness(one) - sureness(other),
  name: (one, other) => one.outcome.name.localeCompare(other.outcome.name),
};

/** @param {HTMLElement} list @param {Set<object>} cards in the order they came */
export function createGallery(list, cards) {
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

  /** Moves only what is not in its place: moved elements would begin their animations anew. */
  function sort() {
    const compare = ORDERS[order.value];
    const sorted = [...cards].reverse();
    if (compare) sorted.sort(compare);
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

  /** Once for all changes of a frame. */
  function refresh() {
    if (pending) return;
    pending = true;
    requestAnimationFrame(arrange);
  }

  async function take(format) {
    const { written } = await import('./export.js');
    const { blob, name } = written(format, [...cards].map(({ outcome }) => outcome));
    const url = URL.createObjectURL(blob);
    make('a', { href: url, download: name }).click();
    setTimeout(() => URL.revokeObjectURL(url), 1000);
  }

  for (const [name, button] of Object.entries(views)) button.addEventListener('click', () => view(name));
  filter.addEventListener('change', arrange);
  order.addEventListener('change', arrange);
  element('take-csv').addEventListener('click', () => take('csv'));
  element('take-json').addEventListener('click', () => take('json'));
  view('list');

  return {
    refresh,
    /** So many are about to come. */
    expect: (n) => n >= MANY && view('gallery'),
    /** Shows one of the gallery in full. */
    open(card) {
      view('list');
      card.element.scrollIntoView({ block: 'start' });
      card.element.querySelector('[data-testid="remove"]').focus({ preventScroll: true });
    },
  };
}
