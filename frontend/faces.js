// Every task has its face: what stands large above an answer, and how its numbers are drawn below.

import { make } from './make.js';
import { kindOf, rows, shown } from './predictions.js';
import { profile } from './profile.js';
import { tables } from './values.js';
import { words } from './words.js';

const THRESHOLD = 0.5; // a sigmoid's own middle: more likely than not

/** @returns {{title: string, number: string, body: HTMLElement, told: string}} told: for people who listen */
export function faceOf(predictions, model) {
  const [first] = predictions;
  if (first && 'values' in first) return numbers(first.values);
  if (!first || kindOf(first) === 'value') return traits(predictions);
  return model?.multi_label ? several(predictions) : ranked(predictions);
}

const say = (predictions) => predictions.map((one) => `${one.label} ${shown(one)}`).join(', ');

function ranked(predictions) {
  const [top] = predictions;
  const body = make('ol', { className: 'predictions' }, ...rows(predictions));
  return { title: top.label, number: shown(top), body, told: say([top]) };
}

function several(predictions) {
  const given = predictions.filter(({ probability }) => probability >= THRESHOLD);
  const list = make('ol', { className: 'predictions several' }, ...rows(predictions, THRESHOLD));
  list.style.setProperty('--threshold', THRESHOLD);
  const body = make('div', {}, list, make('p', { className: 'quiet threshold-note', textContent: words.threshold(THRESHOLD) }));
  const title = given.map(({ label }) => label).join(', ') || words.noneAbove(THRESHOLD);
  return { title, number: '', body, told: given.length ? say(given) : title };
}

function traits(predictions) {
  const [only] = predictions.length === 1 ? predictions : [];
  return { title: only?.label ?? '', number: only ? shown(only) : '', body: profile(predictions), told: say(predictions) };
}

function numbers(values) {
  const flat = Array.isArray(values) ? values.flat(Infinity) : [];
  return { title: '', number: '', body: tables(values), told: flat.slice(0, 5).join(', ') };
}
