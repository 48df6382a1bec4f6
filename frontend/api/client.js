// The server's routes that this page uses. URLs are relative, so the server may live under any path.

import { words } from '../lib/words.js';
import { cancelled, Failure, failureFrom, unreachable } from './failure.js';
import { urlFor } from './model.js';

/** @returns {Promise<{ready: boolean, stage?: string, percent?: number, error?: string}>} also from a 503 reply */
export const fetchReady = () => fetchJson('readyz', { expected: [200, 503] });

/** @returns {Promise<{default: string, models: object[], failed: object[]}>} */
export const fetchModels = () => fetchJson('models');

/** Requests a route's JSON. @returns {Promise<object>} or throws a Failure */
async function fetchJson(url, { method = 'GET', body, headers, key = '', signal, expected = [200] } = {}) {
  const authorization = key ? { Authorization: `Bearer ${key}` } : {};
  let response;
  try {
    response = await fetch(url, {
      method, body, signal, cache: 'no-store', headers: { Accept: 'application/json', ...authorization, ...headers },
    });
  } catch {
    throw signal?.aborted ? cancelled() : unreachable();
  }
  const reply = await response.json().catch(() => null);
  if (!reply || !expected.includes(response.status)) {
    throw failureFrom(response.status, reply, response.headers.get('Retry-After'));
  }
  return reply;
}

/**
 * Encodes an input as a request: a picture as a form, texts and numbers as JSON.
 * @param {{file?: File, text?: string, instance?: any}} input
 * @param {object} [fields] further fields of the form or the JSON
 */
function encode({ file, text, instance }, fields = {}) {
  if (!file) {
    const given = text === undefined ? { instances: [instance] } : { text };
    return { body: JSON.stringify({ ...given, ...fields }), headers: { 'Content-Type': 'application/json' } };
  }
  const body = new FormData();
  for (const [name, value] of Object.entries(fields)) body.append(name, value);
  body.append('image', file, file.name);
  return { body, headers: {} };
}

/**
 * Sends one input. XMLHttpRequest because fetch cannot report the progress of an upload.
 * @param {{file?: File, text?: string, instance?: any}} input
 * @param {{model: object, top: number, key: string, signal: AbortSignal, onUpload?: (share: number) => void}} how
 * @returns {Promise<{reply: object, serverTiming: string, total: number}>} total in milliseconds
 */
export function predict(input, { model, top, key, signal, onUpload = () => {} }) {
  return new Promise((resolve, reject) => {
    const { body, headers } = encode(input);
    const request = new XMLHttpRequest();
    request.open('POST', urlFor('predict', model, { top }));
    request.setRequestHeader('Accept', 'application/json');
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    if (key) request.setRequestHeader('Authorization', `Bearer ${key}`);
    request.upload.onprogress = (event) => event.lengthComputable && onUpload(event.loaded / event.total);
    request.upload.onload = () => onUpload(1);
    request.onerror = () => reject(unreachable());
    request.onabort = () => reject(cancelled());
    signal.addEventListener('abort', () => request.abort(), { once: true });

    const started = performance.now();
    request.onload = () => {
      const total = performance.now() - started;
      const reply = withoutResults(parse(request.responseText));
      if (request.status !== 200) {
        return reject(failureFrom(request.status, reply, request.getResponseHeader('Retry-After')));
      }
      if (!Array.isArray(reply?.predictions)) return reject(new Failure(words.oddReply, { code: 'odd_reply' }));
      resolve({ reply, serverTiming: request.getResponseHeader('Server-Timing') ?? '', total });
    };
    request.send(body);
  });
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** `instances` get `results`; a single result is moved to the top, as if the request had been for one input. */
function withoutResults(reply) {
  if (reply?.results?.length !== 1) return reply;
  const { results: [result], ...rest } = reply;
  return { ...rest, ...result };
}

/** The model and version that answered. */
const modelOf = ({ reply }) => ({ model: reply.model?.name ?? '', version: reply.model?.version ?? '' });

/** Requests the parts of the input that `label` depends on. @returns {Promise<{label: string, heatmap?: object, picture?: object, words?: object[]}>} */
export function explain(answer, label, options) {
  const url = `explain?${new URLSearchParams({ ...modelOf(answer), label })}`;
  return fetchJson(url, { method: 'POST', ...encode(answer.input), ...options });
}

/** Stores the label that would have been right. @returns {Promise<{id: string}>} the id with which it can be deleted */
export function correct(answer, label, prediction, options) {
  const fields = { label, prediction, ...modelOf(answer) };
  return fetchJson('feedback', { method: 'POST', ...encode(answer.input, fields), ...options });
}

/** Deletes what was stored under `id`. */
export const deleteUpload = (id, options) => fetchJson(`feedback/${encodeURIComponent(id)}`, { method: 'DELETE', ...options });
