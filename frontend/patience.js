// When to try again: once the server's Retry-After has passed, the connection is back, or a key has been given.

import { cancelled } from './failure.js';
import { words } from './words.js';

const ATTEMPTS = 6; // when the server says 503 with Retry-After
const LOST_ATTEMPTS = 4; // when it does not answer at all: 1 + 2 + 4 seconds
const LONGEST_WAIT = 30; // seconds

/**
 * Does `work` until it succeeds, as long as it makes sense.
 * @param {() => Promise<T>} work
 * @param {{signal: AbortSignal, key: {ask: (reason: string) => Promise<boolean>}, onWait: (sentence: string, seconds: number | null) => void}} how
 * @returns {Promise<T>} @template T
 */
export async function patiently(work, how) {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (failure) {
      if (how.signal.aborted) throw cancelled();
      const again = await worthwhile(failure, attempt, how);
      if (how.signal.aborted) throw cancelled();
      if (!again) throw failure;
    }
  }
}

async function worthwhile(failure, attempt, { signal, key, onWait }) {
  const { status, code, message, retryAfter } = failure;
  if (code === 'unreachable') {
    if (!navigator.onLine) return untilOnline(signal, () => onWait(words.offline, null));
    return attempt < LOST_ATTEMPTS && countDown(2 ** (attempt - 1), signal, (left) => onWait(message, left));
  }
  if (attempt >= ATTEMPTS) return false;
  if (status === 401) return key.ask(message);
  return status === 503 && retryAfter > 0 && countDown(retryAfter, signal, (left) => onWait(message, left));
}

/** @returns {Promise<true>} once the browser is online, or at once when cancelled */
function untilOnline(signal, tell) {
  tell();
  return new Promise((resolve) => {
    addEventListener('online', () => resolve(true), { once: true, signal });
    signal.addEventListener('abort', () => resolve(true), { once: true });
  });
}

/** Second by second, so that it can be shown. @returns {Promise<true>} */
async function countDown(seconds, signal, tell) {
  for (let left = Math.min(seconds, LONGEST_WAIT); left > 0 && !signal.aborted; left -= 1) {
    tell(left);
    await new Promise((resolve) => {
      const timer = setTimeout(resolve, 1000);
      signal.addEventListener('abort', () => resolve(clearTimeout(timer)), { once: true });
    });
  }
  return true;
}
