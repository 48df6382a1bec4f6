// A reply's predictions: ranked bars for probabilities and scores, plain numbers for measured values.

import { number, percent } from './numbers.js';

const KINDS = ['probability', 'score', 'value'];

export const kindOf = (prediction) => KINDS.find((kind) => kind in prediction) ?? 'value';

/** @returns {string} the prediction's number as people read it */
export function shown(prediction) {
  const kind = kindOf(prediction);
  return kind === 'probability' ? percent(prediction.probability) : number(prediction[kind]);
}

/** @param {object[]} predictions @returns {HTMLLIElement[]} */
export function rows(predictions) {
  const largest = Math.max(...predictions.map((prediction) => Math.abs(prediction.score ?? 0))) || 1;
  return predictions.map((prediction) => {
    const row = document.createElement('li');
    row.className = 'prediction';
    row.dataset.testid = 'prediction';
    row.append(span('prediction-label', prediction.label), span('prediction-number', shown(prediction)));
    const kind = kindOf(prediction);
    if (kind !== 'value') row.append(bar(prediction.probability ?? prediction.score / largest));
    return row;
  });
}

function span(className, text) {
  return Object.assign(document.createElement('span'), { className, textContent: text });
}

function bar(share) {
  const drawn = span('prediction-bar', '');
  drawn.style.setProperty('--share', Math.min(1, Math.max(0, share)));
  return drawn;
}
