// What can go wrong with a request, as one kind of error: the server's own sentence wherever it sent one.

import { words } from './words.js';

export class Failure extends Error {
  /** @param {{status?: number, code?: string, id?: string, retryAfter?: number}} [facts] retryAfter in seconds */
  constructor(sentence, { status = 0, code = '', id = '', retryAfter = 0 } = {}) {
    super(sentence);
    Object.assign(this, { status, code, id, retryAfter });
  }

  /** Whether the same request may well succeed if it is sent once more (401: with a key). */
  get mayPass() {
    return this.status >= 500 || [0, 401, 408, 429].includes(this.status);
  }
}

export const lost = () => new Failure(words.lost, { code: 'unreachable' });
export const cancelled = () => new Failure(words.cancelled, { code: 'cancelled' });

/** The failure that an error reply describes; a proxy's HTML page gets a sentence of ours. */
export function failureFrom(status, reply, retryAfter) {
  return new Failure(reply?.error ?? words.refused[status] ?? words.oddReply, {
    status,
    code: reply?.code ?? `http_${status}`,
    id: reply?.id,
    retryAfter: Number.parseInt(retryAfter, 10) || 0,
  });
}
