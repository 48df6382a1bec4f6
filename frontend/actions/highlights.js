/*
 * Explanations, shown in the input. The heat map lies over its picture: orange speaks for the answer, blue against it, a pair
 * that people with any colour vision can tell apart; parts that change nothing stay clear. A text gets its words marked.
 */

import { kindOf, numberOf } from '../answer/prediction.js';
import { make, showPicture } from '../lib/dom.js';
import { number, points } from '../lib/format.js';
import { words } from '../lib/words.js';

const TOWARDS = [[255, 205, 70], [255, 128, 0], [220, 38, 0]]; // weak, middling, strong
const AGAINST = [[130, 200, 255], [40, 130, 255], [20, 66, 210]];
const MAX_OPACITY = 0.92; // opacity of the strongest part at full strength
const MIN_MARKED = 0.08; // of the strongest weight; words below it are not marked
const FAINT = 0.005; // half a percentage point, or half a hundredth of the model's own number

/** @param {{label: string, heatmap: object, picture: object}} reply @param {File} file @returns {HTMLElement} */
export function heatmapView(reply, file) {
  const { heatmap, picture, label } = reply;
  const image = make('img', { alt: '', draggable: false });
  const map = drawMap(heatmap, faint(reply));
  lay(map, picture.box);
  showPicture(image, file);
  const frame = make('div', { className: 'why-frame', role: 'img', ariaLabel: words.why.picture(label) }, image, map);
  frame.style.aspectRatio = `${picture.width} / ${picture.height}`;
  frame.style.setProperty('--ratio', picture.width / picture.height);
  const most = strongest(heatmap);
  return make('div', { className: 'why-picture' }, frame, make('div', { className: 'why-told' },
    make('p', { testid: 'why-told', textContent: summaryOf(reply, most) }),
    slider(map),
    legend(),
    Math.abs(most.weight) < faint(reply) ? null : make('p', { className: 'quiet', textContent: words.why.scale(label, change(reply, most.weight)) })));
}

/** The grid as a tiny canvas; the browser makes it smooth when it stretches it. */
function drawMap({ rows, cols, values }, least) {
  const canvas = make('canvas', { width: cols, height: rows, className: 'why-map', testid: 'why-map', ariaHidden: 'true' });
  const context = canvas.getContext('2d');
  const pixels = context.createImageData(cols, rows);
  const flat = values.flat();
  const largest = Math.max(least, ...flat.map(Math.abs));
  flat.forEach((weight, i) => pixels.data.set(colour(weight / largest), 4 * i));
  context.putImageData(pixels, 0, 0);
  return canvas;
}

/** -1..1 -> red, green, blue, alpha. */
function colour(share) {
  const scale = share < 0 ? AGAINST : TOWARDS;
  const at = Math.min(1, Math.abs(share)) * (scale.length - 1);
  const low = Math.min(scale.length - 2, Math.floor(at));
  const mixed = scale[low].map((channel, i) => channel + (scale[low + 1][i] - channel) * (at - low));
  return [...mixed.map(Math.round), Math.round(255 * MAX_OPACITY * Math.sqrt(Math.abs(share)))];
}

/** Where the model's view lies on the picture, in shares of it. */
function lay(map, [left, top, right, bottom]) {
  map.style.left = `${left * 100}%`;
  map.style.top = `${top * 100}%`;
  map.style.width = `${(right - left) * 100}%`;
  map.style.height = `${(bottom - top) * 100}%`;
}

function slider(map) {
  const input = make('input', { type: 'range', min: 0, max: 100, value: 85, testid: 'why-strength' });
  const show = () => { map.style.opacity = input.value / 100; };
  input.addEventListener('input', show);
  show();
  return make('label', { className: 'why-strength' }, words.why.strength, input);
}

function legend() {
  const { against, nothing, towards } = words.why;
  return make('div', { className: 'why-legend' },
    make('div', { className: 'why-colours', ariaHidden: 'true' }),
    make('p', { className: 'why-ends quiet' }, ...[against, nothing, towards].map((textContent) => make('span', { textContent }))));
}

/** The largest weight of either sign, and the largest that speaks for the answer with its place in thirds of the picture. */
function strongest({ rows, cols, values }) {
  const flat = values.flat();
  const at = flat.reduce((best, weight, i) => (Math.abs(weight) > Math.abs(flat[best]) ? i : best), 0);
  const third = (place, count) => Math.floor(((place + 0.5) / count) * 3);
  const supporting = flat.reduce((best, weight, i) => (weight > flat[best] ? i : best), 0);
  return {
    weight: flat[at],
    best: flat[supporting],
    place: words.why.places[third(Math.floor(supporting / cols), rows)][third(supporting % cols, cols)],
  };
}

function summaryOf(reply, { best, place }) {
  if (best < faint(reply)) return words.why.nothingMatters(reply.label);
  return words.why.strongest(reply.label, place, change(reply, best));
}

/** A text with its words marked: a solid line and + speak for the answer, a dashed one and − against. @param {{label: string, words: {text: string, start: number, end: number, weight: number}[]}} reply @returns {HTMLElement} */
export function wordsView(reply) {
  const { label, words: parts } = reply;
  const largest = Math.max(faint(reply), ...parts.map(({ weight }) => Math.abs(weight)));
  const best = parts.reduce((one, other) => (other.weight > one.weight ? other : one), parts[0]);
  const summary = best && best.weight >= faint(reply)
    ? words.why.wordsRest(label, best.text, change(reply, best.weight))
    : words.why.nothingMatters(label);
  return make('div', { className: 'why-text' },
    make('p', { testid: 'why-told', textContent: summary }),
    make('p', { className: 'why-words', testid: 'why-words' }, ...parts.flatMap((one) => [word(one, largest, reply), ' '])),
    make('p', { className: 'quiet', textContent: words.why.wordNote }));
}

function word({ text, weight }, largest, reply) {
  const share = weight / largest;
  if (Math.abs(share) < MIN_MARKED) return text;
  const sign = weight > 0 ? '+' : '−';
  const mark = make('mark', { className: weight > 0 ? 'towards' : 'against' }, text,
    make('small', { textContent: `${sign}${size(reply, weight)}` }));
  mark.style.setProperty('--weight', `${Math.round(Math.abs(share) * 100)}%`);
  return mark;
}

const isProbability = (reply) => kindOf(reply) === 'probability';

/** @param {object} reply the explained prediction @returns {number} changes below it count as none */
const faint = (reply) => (isProbability(reply) ? FAINT : FAINT * Math.abs(numberOf(reply))) || FAINT;

/** A weight without its sign: percentage points, or the model's own number. */
const size = (reply, weight) => (isProbability(reply) ? points(weight) : number(Math.abs(weight)));

/** The same in a sentence. */
const change = (reply, weight) => (isProbability(reply) ? words.why.points(points(weight)) : size(reply, weight));
