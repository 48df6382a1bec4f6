// What is asked after an answer: why it came about, and what it should have been.

import { ask, packed } from './api.js';

/** What names the very model that answered. */
const asked = ({ reply }) => ({ model: reply.model?.name ?? '', version: reply.model?.version ?? '' });

/** @returns {Promise<{label: string, heatmap?: object, picture?: object, words?: object[]}>} */
export function explain(answer, label, how) {
  const url = `explain?${new URLSearchParams({ ...asked(answer), label })}`;
  return ask(url, { method: 'POST', ...packed(answer.input), ...how });
}

/** Stores what the answer should have been. @returns {Promise<{id: string}>} the id deletes it */
export function correct(answer, label, prediction, how) {
  const fields = { label, prediction, ...asked(answer) };
  return ask('feedback', { method: 'POST', ...packed(answer.input, fields), ...how });
}

/** Deletes what was stored under `id`. */
export const forget = (id, how) => ask(`feedback/${encodeURIComponent(id)}`, { method: 'DELETE', ...how });
