// The journey of one input: wait for a lane, upload, and show the answer, or try again, or say what went wrong.

import { predict } from './api.js';
import { cancelled } from './failure.js';
import { createLanes } from './lanes.js';

const AT_ONCE = 4; // requests in flight: enough to fill the model's batches, few enough to stay polite
const ATTEMPTS = 6; // when the server says 503 with Retry-After
const LONGEST_WAIT = 30; // seconds
const TOP = 5; // labels in one answer: a card's worth

/**
 * @param {{key: {get: () => string, ask: (reason: string) => Promise<boolean>}}} parts
 * @returns {(card: object, input: {file?: File, text?: string}, model: string) => Promise<void>} ends when its card is final
 */
export function createJourney({ key }) {
  const inLane = createLanes(AT_ONCE);

  function send(input, model, card, signal) {
    card.queued();
    const answer = inLane(() => {
      if (signal.aborted) throw cancelled();
      card.uploading(0);
      return predict(input, { model, signal, top: TOP, key: key.get(), onUpload: card.uploading });
    });
    return Promise.race([answer, aborted(signal)]); // one that still waits for its lane can be cancelled too
  }

  return async function travel(card, input, model) {
    const again = () => travel(card, input, model);
    const signal = card.begin();
    const waits = async (failure) => {
      if (failure.status === 401) return key.ask(failure.message);
      return failure.status === 503 && failure.retryAfter > 0 && countDown(failure, card, signal);
    };
    for (let attempt = 1; ; attempt += 1) {
      try {
        return card.answered(await send(input, model, card, signal));
      } catch (failure) {
        if (attempt < ATTEMPTS && !signal.aborted && (await waits(failure))) continue;
        if (card.isSuperseded(signal)) return; // removed, or taken over by a newer drawing
        return card.failed(signal.aborted ? cancelled() : failure, again);
      }
    }
  };
}

/** @returns {Promise<never>} rejects when the person cancels */
function aborted(signal) {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(cancelled()), { once: true });
  });
}

/** Waits as long as the server asked for, second by second. @returns {Promise<boolean>} false when cancelled meanwhile */
async function countDown({ message, retryAfter }, card, signal) {
  for (let left = Math.min(retryAfter, LONGEST_WAIT); left > 0 && !signal.aborted; left -= 1) {
    card.waiting(message, left);
    await new Promise((resolve) => {
      const timer = setTimeout(resolve, 1000);
      signal.addEventListener('abort', () => resolve(clearTimeout(timer)), { once: true });
    });
  }
  return !signal.aborted;
}
