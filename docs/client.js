// A client of Facenality in one module, to copy; any page of any origin may use it:
//
//   import { predict } from './client.js';
//   const [best] = await predict('http://localhost:5000', file);   // a File or a Blob
//   console.log(best.label, best.probability);

const LONGEST_PAUSE = 30; // seconds; a server that asks for more is given up

/** No answer, and why, in the server's own words; its log knows the request as `requestId`. */
export class Failed extends Error {
  constructor(sentence, { status, code = '', requestId = '' }) {
    super(sentence);
    Object.assign(this, { name: 'Failed', status, code, requestId });
  }
}

/**
 * Predictions, best first. Full and loading servers are asked again when they say so.
 *
 * @param {string} server its address, such as https://images.example
 * @param {Blob | {url: string} | {text: string}} input an image, an image's address for the server to fetch, or a text
 * @param {{key?: string, model?: string, version?: number, top?: number, tries?: number, signal?: AbortSignal}} [options]
 * @returns {Promise<{label: string, probability?: number, score?: number, value?: number}[]>}
 * @throws {Failed} TypeError where the server cannot be reached, AbortError by `signal`
 */
export async function predict(server, input, { key, tries = 4, signal, ...query } = {}) {
  const address = `${server.replace(/\/$/, '')}/predict?${new URLSearchParams(query)}`;
  const request = { method: 'POST', signal, ...sent(input) };
  if (key) request.headers = { ...request.headers, Authorization: `Bearer ${key}` };
  for (let left = tries - 1; ; left--) {
    const response = await fetch(address, request);
    const pause = pauseOf(response);
    if (pause === null || !left) return answer(response);
    await new Promise((resolve) => setTimeout(resolve, 1000 * pause));
    signal?.throwIfAborted();
  }
}

function sent(input) {
  if (!(input instanceof Blob)) {
    return { body: JSON.stringify(input), headers: { 'Content-Type': 'application/json' } };
  }
  const body = new FormData();
  body.append('image', input);
  return { body };
}

/** How long the server asks us to wait, in seconds; null where waiting does not help. */
function pauseOf(response) {
  if (response.status !== 429 && response.status !== 503) return null;
  const pause = Number(response.headers.get('Retry-After') ?? 1);
  return pause <= LONGEST_PAUSE ? pause : null;
}

async function answer(response) {
  const body = await response.json().catch(() => ({})); // a proxy may answer something else
  if (body.success) return body.predictions;
  const { error = `${response.status} ${response.statusText}`, code, id } = body;
  throw new Failed(error, { status: response.status, code, requestId: id });
}
