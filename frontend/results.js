// The list of cards, newest first, and the empty state when there is none.

import { createCard } from './card.js';

const element = (id) => document.getElementById(id);

/** @returns {{add: (input: object) => object, has: (card: object) => boolean, reveal: (card: object) => object}} */
export function createResults() {
  const list = element('results');
  const cards = new Set();

  function refresh() {
    const empty = cards.size === 0;
    list.hidden = empty;
    element('results-empty').hidden = !empty;
    element('results-clear').hidden = cards.size < 2;
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
      const card = createCard(remove);
      card.show(input);
      cards.add(card);
      list.prepend(card.element);
      refresh();
      return card;
    },
    has: (card) => cards.has(card),
    /** Scrolls a new card into view where it is not yet, as on a phone. */
    reveal(card) {
      card.element.scrollIntoView({ block: 'nearest' });
      return card;
    },
  };
}
