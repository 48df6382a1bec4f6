// The answers of this visit, newest first, kept in this tab only; and the empty state when there is none.

import { createCard } from './card.js';
import { createGallery } from './gallery.js';

const element = (id) => document.getElementById(id);

/**
 * @param {() => object} server what a card's actions need
 * @returns {{add: (input: object) => object, has: (card: object) => boolean, reveal: (card: object) => object, several: (n: number) => void}}
 */
export function createResults(server) {
  const list = element('results');
  const cards = new Set();
  const gallery = createGallery(list, cards);
  const around = { server, onRemove: remove, onChange: gallery.refresh, onOpen: gallery.open };

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
      const card = createCard(around);
      cards.add(card);
      list.prepend(card.element);
      card.show(input);
      refresh();
      return card;
    },
    has: (card) => cards.has(card),
    isEmpty: () => cards.size === 0,
    /** Many at once are easier looked over side by side. */
    several: gallery.expect,
    /** Scrolls a new card into view where it is not yet, as on a phone. */
    reveal(card) {
      card.element.scrollIntoView({ block: 'nearest' });
      return card;
    },
  };
}
