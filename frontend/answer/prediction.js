// One prediction: which kind of number it carries, and how people read it.

import { number, percent } from '../lib/format.js';

const KINDS = ['probability', 'score', 'value'];

export const kindOf = (prediction) => KINDS.find((kind) => kind in prediction) ?? 'value';
export const numberOf = (prediction) => prediction[kindOf(prediction)];

/** @returns {string} the prediction's number, formatted */
export function formatNumber(prediction) {
  const kind = kindOf(prediction);
  return kind === 'probability' ? percent(prediction.probability) : number(prediction[kind]);
}

/** Predictions by label; plain numbers by their place, such as [0][2]. @param {object[]} predictions @returns {Map<string, object>} */
export function byLabel(predictions) {
  const [first] = predictions;
  if (first && 'values' in first) return new Map(leaves(first.values, ''));
  return new Map(predictions.map((prediction) => [prediction.label, prediction]));
}

function* leaves(values, place) {
  if (values === null || typeof values !== 'object') return yield [place, { value: values }];
  for (const [key, inner] of Object.entries(values)) yield* leaves(inner, `${place}[${key}]`);
}
