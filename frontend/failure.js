// What can go wrong with a request, as one kind of error: the server's own sentence wherever it sent one.

import { language } from './language.js';
import { words } from './words.js';

export class Failure extends Error {
  /** @param {{status?: number, code?: string, id?: string, retryAfter?: number, original?: string}} [facts] retryAfter in seconds */
  constructor(sentence, { status = 0, code = '', id = '', retryAfter = 0, original = '', spoken = language } = {}) {
    super(sentence);
    Object.assign(this, { status, code, id, retryAfter, original, spoken });
  }

  /** Whether the same request may well succeed if it is sent once more (401: with a key). */
  get mayPass() {
    return this.status >= 500 || [0, 401, 408, 429].includes(this.status);
  }

  /** Whether a smaller picture would do. */
  get wantsSmaller() {
    return this.status === 413 || this.code === 'too_large';
  }
}

export const lost = () => new Failure(words.lost, { code: 'unreachable' });
export const cancelled = () => new Failure(words.cancelled, { code: 'cancelled' });

/**
 * The failure that an error reply describes; a proxy's HTML page gets a sentence of ours. The server speaks English:
 * where the page knows the code in another language it says that, and keeps the original beside it.
 */
export function failureFrom(status, reply, retryAfter) {
  const code = reply?.code ?? `http_${status}`;
  const known = words.errors[code];
  return new Failure(known ?? reply?.error ?? words.refused[status] ?? words.oddReply, {
    status,
    code,
    id: reply?.id,
    retryAfter: Number.parseInt(retryAfter, 10) || 0,
    original: known && reply?.error,
    spoken: known || !reply?.error ? language : 'en',
  });
}
