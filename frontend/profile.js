// Named values side by side: bars from zero over one common scale, to the left where they are negative.

import { make } from './make.js';
import { number } from './numbers.js';

/** @param {{label: string, value: number}[]} predictions @returns {HTMLElement} */
export function profile(predictions) {
  const values = predictions.map(({ value }) => value);
  const least = Math.min(0, ...values);
  const most = Math.max(0, ...values);
  const place = (value) => (value - least) / (most - least || 1);
  const list = make('ol', { className: 'profile' }, ...predictions.map((prediction) => trait(prediction, place)));
  const scale = make('p', { className: 'profile-scale quiet', ariaHidden: 'true' },
    ...[...new Set([least, 0, most])].map((value) => tick(value, place)));
  return make('div', {}, list, predictions.length > 1 ? scale : null);
}

function trait({ label, value }, place) {
  const drawn = make('span', { className: 'trait-bar' });
  drawn.classList.toggle('negative', value < 0);
  drawn.style.setProperty('--from', Math.min(place(value), place(0)));
  drawn.style.setProperty('--long', Math.abs(place(value) - place(0)));
  const track = make('span', { className: 'trait-track' }, drawn);
  track.style.setProperty('--zero', place(0));
  return make('li', { className: 'trait', testid: 'prediction' },
    make('span', { className: 'prediction-label', textContent: label }),
    make('span', { className: 'prediction-number', textContent: number(value) }),
    track);
}

function tick(value, place) {
  const drawn = make('span', { textContent: number(value) });
  drawn.style.setProperty('--at', place(value));
  return drawn;
}
