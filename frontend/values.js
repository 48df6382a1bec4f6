// Plain numbers: for each output its shape, its statistics, and a table of the numbers with their places.

import { button, make } from './make.js';
import { number } from './numbers.js';
import { words } from './words.js';

const AT_FIRST = 12; // rows; the rest on demand

/** @param {any} values nested lists, or such lists by the outputs' names @returns {HTMLElement} */
export function tables(values) {
  const isNamed = values !== null && typeof values === 'object' && !Array.isArray(values);
  const outputs = isNamed ? Object.entries(values) : [['', values]];
  return make('div', {}, ...outputs.map(([name, one]) => output(name, one)));
}

function output(name, values) {
  const cells = [...leaves(values, [])];
  const body = make('tbody');
  const add = (some) => body.append(...some.map(row));
  add(cells.slice(0, AT_FIRST));
  const more = cells.length > AT_FIRST && button(words.showAll(cells.length), () => {
    add(cells.slice(AT_FIRST));
    more.remove();
  });
  const head = make('thead', {}, make('tr', {},
    ...[words.place, words.value].map((textContent) => make('th', { scope: 'col', textContent }))));
  return make('section', { className: 'values' },
    make('table', {}, make('caption', { textContent: words.numbersOf(name, shapeOf(values)) }), head, body),
    more || null,
    statistics(cells.map(([, value]) => value).filter(Number.isFinite)));
}

const row = ([place, value]) => make('tr', { testid: 'prediction' },
  make('th', { scope: 'row', textContent: `[${place.join(', ')}]` }),
  make('td', { textContent: typeof value === 'number' ? number(value) : String(value) }));

function* leaves(values, place) {
  if (!Array.isArray(values)) return yield [place, values];
  for (const [i, inner] of values.entries()) yield* leaves(inner, [...place, i]);
}

const shapeOf = (values) => (Array.isArray(values) ? [values.length, ...shapeOf(values[0])] : []);

function statistics(numbers) {
  if (numbers.length < 2) return null;
  const mean = numbers.reduce((sum, n) => sum + n, 0) / numbers.length;
  const told = {
    count: numbers.length,
    least: numbers.reduce((a, b) => Math.min(a, b)),
    most: numbers.reduce((a, b) => Math.max(a, b)),
    mean,
    deviation: Math.sqrt(numbers.reduce((sum, n) => sum + (n - mean) ** 2, 0) / numbers.length),
  };
  return make('dl', { className: 'statistics', testid: 'statistics' }, ...Object.entries(told).map(([name, value]) =>
    make('div', {}, make('dt', { textContent: words.statistics[name] }), make('dd', { textContent: number(value) }))));
}
