// Sends one input: waits its turn, uploads, shows the answer, tries again, or says what went wrong.

import { predict } from '../api/client.js';
import { cancelled, withRetries } from '../api/failure.js';
import { topOf } from '../api/model.js';
import { shrink } from '../input/files.js';
import { words } from '../lib/words.js';

const MAX_IN_FLIGHT = 4; // requests at once: enough to fill the model's batches without crowding out other clients

/**
 * @param {{key: {get: () => string, ask: (reason: string) => Promise<boolean>}}} services
 * @returns {{send: Function, smallerOf: Function}} `send(card, input, model)` resolves once the card shows an answer or an error
 */
export function createSender({ key }) {
  const inTurn = limitConcurrency(MAX_IN_FLIGHT);

  function request(input, model, card, signal) {
    card.queued();
    const answer = inTurn(() => {
      if (signal.aborted) throw cancelled();
      card.uploading(0);
      return predict(input, { model, signal, top: topOf(model), key: key.get(), onUpload: card.uploading });
    });
    return Promise.race([answer, rejectOnAbort(signal)]); // an input that is still queued can be cancelled too
  }

  async function send(card, input, model) {
    const signal = card.begin();
    try {
      const answer = await withRetries(() => request(input, model, card, signal), { signal, key, onWait: card.waiting });
      card.answered({ ...answer, input, model });
    } catch (failure) {
      if (card.isSuperseded(signal)) return; // removed, or replaced by a newer drawing
      card.failed(failure, { retry: () => send(card, input, model), sendSmaller: smallerOf(card, input, model) });
    }
  }

  /** @returns {(() => Promise<void>) | undefined} sends a picture again, scaled down; undefined if the input is no picture */
  function smallerOf(card, input, model) {
    return input.file && (async () => {
      card.working(words.shrinking);
      try {
        const smaller = { ...input, file: await shrink(input.file) };
        card.show(smaller);
        await send(card, smaller, model);
      } catch (failure) {
        card.failed(failure);
      }
    });
  }

  return { send, smallerOf };
}

/** @returns {Promise<never>} rejects when the person cancels */
function rejectOnAbort(signal) {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(cancelled()), { once: true });
  });
}

/**
 * At most `limit` calls run at once; further ones wait in order.
 * @returns {(work: () => Promise<T>) => Promise<T>} @template T
 */
function limitConcurrency(limit) {
  const waiting = [];
  let running = 0;

  return async function run(work) {
    if (running >= limit) await new Promise((go) => waiting.push(go));
    else running += 1;
    try {
      return await work();
    } finally {
      const next = waiting.shift(); // the place of a finished call goes to the next one
      if (next) next();
      else running -= 1;
    }
  };
}
