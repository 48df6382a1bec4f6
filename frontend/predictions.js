// Ranked answers: a bar for each label, and where several may be true a mark that each must reach.

import { make } from './make.js';
import { number, percent } from './numbers.js';

const KINDS = ['probability', 'score', 'value'];

export const kindOf = (prediction) => KINDS.find((kind) => kind in prediction) ?? 'value';
export const numberOf = (prediction) => prediction[kindOf(prediction)];

/** @returns {string} the prediction's number as people read it */
export function shown(prediction) {
  const kind = kindOf(prediction);
  return kind === 'probability' ? percent(prediction.probability) : number(prediction[kind]);
}

/** @param {object[]} predictions @param {number} [threshold] what lies below it is set back @returns {HTMLLIElement[]} */
export function rows(predictions, threshold = 0) {
  const largest = Math.max(...predictions.map((prediction) => Math.abs(prediction.score ?? 0))) || 1;
  return predictions.map((prediction) => {
    const share = prediction.probability ?? prediction.score / largest;
    const row = make('li', { className: 'prediction', testid: 'prediction' },
      make('span', { className: 'prediction-label', textContent: prediction.label }),
      make('span', { className: 'prediction-number', textContent: shown(prediction) }),
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
