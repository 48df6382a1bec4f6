// How each task's answer is shown: what stands large at the top, and how its numbers are drawn below.

import { button, make } from '../lib/dom.js';
import { number } from '../lib/format.js';
import { words } from '../lib/words.js';
import { formatNumber, kindOf } from './prediction.js';

const THRESHOLD = 0.5; // more likely than not
const FIRST_ROWS = 12; // of a table; the others follow on demand

/** @returns {{title: string, number: string, body: HTMLElement, summary: string}} summary: one line, also for screen readers */
export function renderAnswer(predictions, model) {
  const [first] = predictions;
  if (first && 'values' in first) return unnamedNumbers(first.values);
  if (!first || kindOf(first) === 'value') return namedValues(predictions);
  return model?.multi_label ? multiLabel(predictions) : ranked(predictions);
}

const summaryOf = (predictions) => predictions.map((one) => `${one.label} ${formatNumber(one)}`).join(', ');

function ranked(predictions) {
  const [top] = predictions;
  const body = make('ol', { className: 'predictions' }, ...rows(predictions));
  return { title: top.label, number: formatNumber(top), body, summary: summaryOf([top]) };
}

function multiLabel(predictions) {
  const above = predictions.filter(({ probability }) => probability >= THRESHOLD);
  const list = make('ol', { className: 'predictions several' }, ...rows(predictions, THRESHOLD));
  list.style.setProperty('--threshold', THRESHOLD);
  const body = make('div', {}, list, make('p', { className: 'quiet threshold-note', textContent: words.threshold(THRESHOLD) }));
  const title = above.map(({ label }) => label).join(', ') || words.noneAbove(THRESHOLD);
  return { title, number: '', body, summary: above.length ? summaryOf(above) : title };
}

function namedValues(predictions) {
  const [only] = predictions.length === 1 ? predictions : [];
  return { title: only?.label ?? '', number: only ? formatNumber(only) : '', body: profile(predictions), summary: summaryOf(predictions) };
}

function unnamedNumbers(values) {
  const flat = Array.isArray(values) ? values.flat(Infinity) : [];
  return { title: '', number: '', body: tables(values), summary: flat.slice(0, 5).join(', ') };
}

/** A bar for each label. @param {object[]} predictions @param {number} [threshold] labels below it are shown paler @returns {HTMLLIElement[]} */
function rows(predictions, threshold = 0) {
  const largest = Math.max(...predictions.map((prediction) => Math.abs(prediction.score ?? 0))) || 1;
  return predictions.map((prediction) => {
    const share = prediction.probability ?? prediction.score / largest;
    const row = make('li', { className: 'prediction', testid: 'prediction' },
      make('span', { className: 'prediction-label', textContent: prediction.label }),
      make('span', { className: 'prediction-number', textContent: formatNumber(prediction) }),
      bar(share));
    row.classList.toggle('given', threshold > 0 && share >= threshold);
    return row;
  });
}

function bar(share) {
  const drawn = make('span', { className: 'prediction-bar' });
  drawn.style.setProperty('--share', Math.min(1, Math.max(0, share)));
  return drawn;
}

/** Named values: bars from zero on one common scale, to the left where they are negative. @param {{label: string, value: number}[]} predictions @returns {HTMLElement} */
function profile(predictions) {
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

/** Plain numbers: for each output its shape, its statistics and a table. @param {any} values nested lists, or such lists by the outputs' names @returns {HTMLElement} */
function tables(values) {
  const isNamed = values !== null && typeof values === 'object' && !Array.isArray(values);
  const outputs = isNamed ? Object.entries(values) : [['', values]];
  return make('div', {}, ...outputs.map(([name, one]) => output(name, one)));
}

function output(name, values) {
  const cells = [...leaves(values, [])];
  const body = make('tbody');
  const add = (some) => body.append(...some.map(row));
  add(cells.slice(0, FIRST_ROWS));
  const more = cells.length > FIRST_ROWS && button(words.showAll(cells.length), () => {
    add(cells.slice(FIRST_ROWS));
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
  const figures = {
    count: numbers.length,
    least: numbers.reduce((a, b) => Math.min(a, b)),
    most: numbers.reduce((a, b) => Math.max(a, b)),
    mean,
    deviation: Math.sqrt(numbers.reduce((sum, n) => sum + (n - mean) ** 2, 0) / numbers.length),
  };
  return make('dl', { className: 'statistics', testid: 'statistics' }, ...Object.entries(figures).map(([name, value]) =>
    make('div', {}, make('dt', { textContent: words.statistics[name] }), make('dd', { textContent: number(value) }))));
}
