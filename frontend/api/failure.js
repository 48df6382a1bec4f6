// What can go wrong with a request, and when to send it again.

import { language } from '../lib/language.js';
import { words } from '../lib/words.js';

export class Failure extends Error {
  /** @param {{status?: number, code?: string, id?: string, retryAfter?: number, original?: string, lang?: string}} [facts] retryAfter in seconds; lang: the sentence's language */
  constructor(sentence, { status = 0, code = '', id = '', retryAfter = 0, original = '', lang = language } = {}) {
    super(sentence);
    Object.assign(this, { status, code, id, retryAfter, original, lang });
  }

  /** Whether the same request may succeed when it is sent again (401: with a key). */
  get isRetryable() {
    return this.status >= 500 || [0, 401, 408, 429].includes(this.status);
  }

  /** Whether a smaller picture may be accepted. */
  get isTooLarge() {
    return this.status === 413 || this.code === 'too_large';
  }
}

export const unreachable = () => new Failure(words.unreachable, { code: 'unreachable' });
export const cancelled = () => new Failure(words.cancelled, { code: 'cancelled' });

/**
 * Turns an error reply into a Failure. The server's sentences are English; where the page has a translation for the
 * code it shows that, and keeps the original. A reply without JSON, such as a proxy's HTML page, gets a sentence by its status.
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
    lang: known || !reply?.error ? language : 'en',
  });
}

const MAX_ATTEMPTS = 6; // when the server answers 503 with Retry-After
const MAX_UNANSWERED = 4; // attempts when it does not answer at all: 1 + 2 + 4 seconds
const MAX_WAIT = 30; // seconds, whatever Retry-After says

/**
 * Repeats `work` until it succeeds or a retry cannot help: waits for Retry-After, for the connection, or for a key.
 * @param {() => Promise<T>} work
 * @param {{signal: AbortSignal, key: {ask: (reason: string) => Promise<boolean>}, onWait: (sentence: string, seconds: number | null) => void}} options
 * @returns {Promise<T>} @template T
 */
export async function withRetries(work, options) {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (failure) {
      if (options.signal.aborted) throw cancelled();
      const again = await waitForRetry(failure, attempt, options);
      if (options.signal.aborted) throw cancelled();
      if (!again) throw failure;
    }
  }
}

/** Waits until it is time for the next attempt. @returns {Promise<boolean>} false if there should be none */
async function waitForRetry(failure, attempt, { signal, key, onWait }) {
  const { status, code, message, retryAfter } = failure;
  if (code === 'unreachable') {
    if (!navigator.onLine) {
      onWait(words.offline, null);
      return waitUntilOnline(signal);
    }
    return attempt < MAX_UNANSWERED && countDown(2 ** (attempt - 1), signal, (left) => onWait(message, left));
  }
  if (attempt >= MAX_ATTEMPTS) return false;
  if (status === 401) return key.ask(message);
  return status === 503 && retryAfter > 0 && countDown(retryAfter, signal, (left) => onWait(message, left));
}

/** @returns {Promise<true>} once the browser is online, or as soon as it is cancelled */
function waitUntilOnline(signal) {
  return new Promise((resolve) => {
    addEventListener('online', () => resolve(true), { once: true, signal });
    signal.addEventListener('abort', () => resolve(true), { once: true });
  });
}

/** Waits, and reports the seconds left once a second. @returns {Promise<true>} */
async function countDown(seconds, signal, report) {
  for (let left = Math.min(seconds, MAX_WAIT); left > 0 && !signal.aborted; left -= 1) {
    report(left);
    await new Promise((resolve) => {
      const timer = setTimeout(resolve, 1000);
      signal.addEventListener('abort', () => resolve(clearTimeout(timer)), { once: true });
    });
  }
  return true;
}
