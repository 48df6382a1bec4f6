// Predictions of any kind by label, so that two answers can be laid side by side; plain numbers go by their place.

/** @param {object[]} predictions @returns {Map<string, object>} */
export function comparable(predictions) {
  const [first] = predictions;
  if (first && 'values' in first) return new Map(leaves(first.values, ''));
  return new Map(predictions.map((prediction) => [prediction.label, prediction]));
}

function* leaves(values, place) {
  if (values === null || typeof values !== 'object') return yield [place, { value: values }];
  for (const [key, inner] of Object.entries(values)) yield* leaves(inner, `${place}[${key}]`);
}
