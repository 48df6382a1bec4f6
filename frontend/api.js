// The server's routes that this page uses. URLs are relative, so the app may live under any path.

import { cancelled, Failure, failureFrom, lost } from './failure.js';
import { words } from './words.js';

/** @returns {string} a route with the model it is for; of the newest version the number is left out, so that a newer one follows */
export function urlFor(route, model, more = {}) {
  const isNewest = model?.version === model?.versions?.at(-1);
  const query = { model: model?.name, version: isNewest ? '' : model?.version, ...more };
  return `${route}?${new URLSearchParams(Object.entries(query).filter(([, value]) => value))}`;
}

/** @returns {Promise<{ready: boolean, stage?: string, percent?: number, error?: string}>} also while it answers 503 */
export const fetchReady = () => ask('readyz', { expected: [200, 503] });

/** @returns {Promise<{default: string, models: object[], failed: object[]}>} */
export const fetchModels = () => ask('models');

/** Asks a route for its JSON. @returns {Promise<object>} or throws a Failure */
export async function ask(url, { method = 'GET', body, headers, key = '', signal, expected = [200] } = {}) {
  const authorization = key ? { Authorization: `Bearer ${key}` } : {};
  let response;
  try {
    response = await fetch(url, {
      method, body, signal, cache: 'no-store', headers: { Accept: 'application/json', ...authorization, ...headers },
    });
  } catch {
    throw signal?.aborted ? cancelled() : lost();
  }
  const reply = await response.json().catch(() => null);
  if (!reply || !expected.includes(response.status)) {
    throw failureFrom(response.status, reply, response.headers.get('Retry-After'));
  }
  return reply;
}

export const JSON_TYPE = { 'Content-Type': 'application/json' };

/**
 * A request's body and headers: a picture as a form, texts and numbers as JSON.
 * @param {{file?: File, text?: string, instance?: any}} input
 * @param {object} [fields] what goes along with it
 */
export function packed({ file, text, instance }, fields = {}) {
  if (!file) {
    const given = text === undefined ? { instances: [instance] } : { text };
    return { body: JSON.stringify({ ...given, ...fields }), headers: JSON_TYPE };
  }
  const body = new FormData();
  for (const [name, value] of Object.entries(fields)) body.append(name, value);
  body.append('image', file, file.name);
  return { body, headers: {} };
}

/**
 * Sends one input. XMLHttpRequest because fetch cannot tell how much of an upload has left.
 * @param {{file?: File, text?: string, instance?: any}} input
 * @param {{model: object, top: number, key: string, signal: AbortSignal, onUpload?: (share: number) => void}} how
 * @returns {Promise<{reply: object, serverTiming: string, total: number}>} total in milliseconds
 */
export function predict(input, { model, top, key, signal, onUpload = () => {} }) {
  return new Promise((resolve, reject) => {
    const { body, headers } = packed(input);
    const request = new XMLHttpRequest();
    request.open('POST', urlFor('predict', model, { top }));
    request.setRequestHeader('Accept', 'application/json');
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    if (key) request.setRequestHeader('Authorization', `Bearer ${key}`);
    request.upload.onprogress = (event) => event.lengthComputable && onUpload(event.loaded / event.total);
    request.upload.onload = () => onUpload(1);
    request.onerror = () => reject(lost());
    request.onabort = () => reject(cancelled());
    signal.addEventListener('abort', () => request.abort(), { once: true });

    const started = performance.now();
    request.onload = () => {
      const total = performance.now() - started;
      const reply = single(parse(request.responseText));
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

/** `instances` are answered in `results`; of one instance its result is the answer. */
function single(reply) {
  if (reply?.results?.length !== 1) return reply;
  const { results: [result], ...rest } = reply;
  return { ...rest, ...result };
}
