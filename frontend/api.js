// The server's three routes that this page uses. URLs are relative, so the app may live under any path.

import { cancelled, Failure, failureFrom, lost } from './failure.js';
import { words } from './words.js';

export const predictUrl = (model, top) => {
  const query = new URLSearchParams();
  if (model) query.set('model', model);
  if (top) query.set('top', top);
  return `predict?${query}`;
};

/** @returns {Promise<{ready: boolean, stage?: string, percent?: number, error?: string}>} also while it answers 503 */
export const fetchReady = () => fetchJson('readyz', [200, 503]);

/** @returns {Promise<{default: string, models: object[], failed: object[]}>} */
export const fetchModels = () => fetchJson('models', [200]);

async function fetchJson(url, expected) {
  let response;
  try {
    response = await fetch(url, { cache: 'no-store', headers: { Accept: 'application/json' } });
  } catch {
    throw lost();
  }
  const reply = await response.json().catch(() => null);
  if (!reply || !expected.includes(response.status)) {
    throw failureFrom(response.status, reply, response.headers.get('Retry-After'));
  }
  return reply;
}

/** The body of a prediction request: a picture as a form, a text as JSON. */
function bodyOf(input) {
  if (input.text !== undefined) return JSON.stringify({ text: input.text });
  const form = new FormData();
  form.append('image', input.file, input.file.name);
  return form;
}

/**
 * Sends one input. XMLHttpRequest because fetch cannot tell how much of an upload has left.
 * @param {{file?: File, text?: string}} input
 * @param {{model: string, top: number, key: string, signal: AbortSignal, onUpload: (share: number) => void}} how
 * @returns {Promise<{reply: object, serverTiming: string, total: number}>} total in milliseconds
 */
export function predict(input, { model, top, key, signal, onUpload }) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open('POST', predictUrl(model, top));
    request.setRequestHeader('Accept', 'application/json');
    if (input.text !== undefined) request.setRequestHeader('Content-Type', 'application/json');
    if (key) request.setRequestHeader('Authorization', `Bearer ${key}`);
    request.upload.onprogress = (event) => event.lengthComputable && onUpload(event.loaded / event.total);
    request.upload.onload = () => onUpload(1);
    request.onerror = () => reject(lost());
    request.onabort = () => reject(cancelled());
    signal.addEventListener('abort', () => request.abort(), { once: true });

    const started = performance.now();
    request.onload = () => {
      const total = performance.now() - started;
      const reply = parse(request.responseText);
      if (request.status !== 200) {
        return reject(failureFrom(request.status, reply, request.getResponseHeader('Retry-After')));
      }
      if (!Array.isArray(reply?.predictions)) return reject(new Failure(words.oddReply, { code: 'odd_reply' }));
      resolve({ reply, serverTiming: request.getResponseHeader('Server-Timing') ?? '', total });
    };
    request.send(bodyOf(input));
  });
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
