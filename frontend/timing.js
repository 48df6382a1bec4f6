// Where the time of one request went: the server's own measurements, and what is left of the round trip.

import { milliseconds } from './numbers.js';
import { words } from './words.js';

/**
 * 'decode;dur=1.2, predict;dur=3.4;desc="batch 4"' -> [{name, ms, note}, …]
 * Form: https://www.w3.org/TR/server-timing/
 */
export function parseServerTiming(header) {
  return (header.match(/(?:"[^"]*"|[^,"])+/g) ?? []).map((metric) => ({
    name: metric.split(';')[0].trim(),
    ms: Number(/;\s*dur=([\d.]+)/.exec(metric)?.[1] ?? 0),
    note: /;\s*desc="?([^";]*)/.exec(metric)?.[1] ?? '',
  }));
}

/** @returns {{name: string, ms: number, note: string}[]} decode, queue, predict as far as told, then the rest */
export function partsOf(serverTiming, total) {
  const told = parseServerTiming(serverTiming).filter(({ name }) => name in words.parts);
  const rest = total - told.reduce((sum, { ms }) => sum + ms, 0);
  return [...told, { name: 'rest', ms: Math.max(0, rest), note: '' }];
}

/** Fills a card's timing section. */
export function showTiming(section, serverTiming, total) {
  const parts = partsOf(serverTiming, total);
  section.querySelector('.timing-total').textContent = milliseconds(total);
  section.querySelector('.timing-bar').replaceChildren(...parts.map(({ name, ms }) => {
    const piece = part('span', name);
    piece.style.flexGrow = ms;
    return piece;
  }));
  section.querySelector('.timing-legend').replaceChildren(...parts.map(({ name, ms, note }) => {
    const line = part('li', name);
    const spent = document.createElement('b');
    spent.textContent = words.timingNumber(ms, note);
    line.append(`${words.parts[name]} `, spent);
    return line;
  }));
}

function part(tag, name) {
  const made = document.createElement(tag);
  made.dataset.part = name;
  return made;
}
