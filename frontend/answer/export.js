// The answers of the visit as a file: JSON as the server sent it, or CSV with one line for each input.

import { words } from '../lib/words.js';
import { numberOf } from './prediction.js';

const KINDS = { json: 'application/json', csv: 'text/csv' };

/** @param {'csv' | 'json'} format @param {object[]} outcomes @returns {{blob: Blob, name: string}} */
export function exportAnswers(format, outcomes) {
  const text = format === 'csv' ? csv(outcomes) : JSON.stringify(outcomes.map(toJson), null, 2);
  return { blob: new Blob([text], { type: `${KINDS[format]};charset=utf-8` }), name: `facenality.${format}` };
}

function toJson({ name, reply, failure }) {
  const { predictions, model, id } = reply ?? {};
  return { input: name, model, predictions, id: id ?? failure?.id, error: failure?.message, code: failure?.code };
}

/** CSV by RFC 4180; the byte order mark tells spreadsheets that it is UTF-8. */
function csv(outcomes) {
  const { input, model, version, error, id, label, number } = words.csv;
  const width = Math.max(0, ...outcomes.map(({ reply }) => reply?.predictions.length ?? 0));
  const ranks = Array.from({ length: width }, (_, i) => [`${label} ${i + 1}`, `${number} ${i + 1}`]);
  const lines = outcomes.map(({ name, reply, failure }) => [
    name, reply?.model?.name, reply?.model?.version,
    ...ranks.flatMap((_, i) => cells(reply?.predictions[i])),
    failure?.message, reply?.id ?? failure?.id,
  ]);
  return `\uFEFF${[[input, model, version, ...ranks.flat(), error, id], ...lines].map(line).join('\r\n')}\r\n`;
}

function cells(prediction) {
  if (!prediction) return ['', ''];
  if ('values' in prediction) return ['', JSON.stringify(prediction.values)];
  return [prediction.label, numberOf(prediction)];
}

const line = (row) => row.map(cell).join(',');

/** A text that begins like a formula gets an apostrophe, so that no spreadsheet computes a file's name. */
function cell(value) {
  if (typeof value === 'number') return String(value);
  const text = String(value ?? '');
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
