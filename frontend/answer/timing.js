// Where the time of one request went: the server's own measurements, and what is left of the round trip.

import { make } from '../lib/dom.js';
import { milliseconds } from '../lib/format.js';
import { words } from '../lib/words.js';

/**
 * 'decode;dur=1.2, predict;dur=3.4;desc="batch 4"' -> [{name, ms, note}, …]
 * Form: https://www.w3.org/TR/server-timing/
 */
function parseServerTiming(header) {
  return (header.match(/(?:"[^"]*"|[^,"])+/g) ?? []).map((metric) => ({
    name: metric.split(';')[0].trim(),
    ms: Number(/;\s*dur=([\d.]+)/.exec(metric)?.[1] ?? 0),
    note: /;\s*desc="?([^";]*)/.exec(metric)?.[1] ?? '',
  }));
}

/** @returns {{name: string, ms: number, note: string}[]} decode, queue and predict as far as the server reports them, then the rest */
function partsOf(serverTiming, total) {
  const reported = parseServerTiming(serverTiming).filter(({ name }) => name in words.parts);
  const rest = total - reported.reduce((sum, { ms }) => sum + ms, 0);
  return [...reported, { name: 'rest', ms: Math.max(0, rest), note: '' }];
}

/** Fills a card's timing section. */
export function showTiming(section, serverTiming, total) {
  const parts = partsOf(serverTiming, total);
  section.querySelector('.timing-total').textContent = milliseconds(total);
  section.querySelector('.timing-bar').replaceChildren(...parts.map(({ name, ms }) => {
    const piece = make('span', { part: name });
    piece.style.flexGrow = ms;
    return piece;
  }));
  section.querySelector('.timing-legend').replaceChildren(...parts.map(({ name, ms, note }) => {
    const time = make('b', { textContent: words.timingNumber(ms, note) });
    return make('li', { part: name }, `${words.parts[name]} `, time);
  }));
}
