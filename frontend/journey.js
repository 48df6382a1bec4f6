// The journey of one input: wait for a lane, upload, and show the answer, or try again, or say what went wrong.

import { predict } from './api.js';
import { cancelled } from './failure.js';
import { createLanes } from './lanes.js';
import { patiently } from './patience.js';

const AT_ONCE = 4; // requests in flight: enough to fill the model's batches, few enough to stay polite
const TOP = 5; // labels in one answer: a card's worth
const TOP_OF_SEVERAL = 20; // where more than one may be true, those that are should be seen

export const topOf = (model) => (model?.multi_label ? TOP_OF_SEVERAL : TOP);

/**
 * @param {{key: {get: () => string, ask: (reason: string) => Promise<boolean>}}} parts
 * @returns {{travel: Function, smaller: Function}} travel(card, input, model) ends when the card is final
 */
export function createJourney({ key }) {
  const inLane = createLanes(AT_ONCE);

  function send(input, model, card, signal) {
    card.queued();
    const answer = inLane(() => {
      if (signal.aborted) throw cancelled();
      card.uploading(0);
      return predict(input, { model, signal, top: topOf(model), key: key.get(), onUpload: card.uploading });
    });
    return Promise.race([answer, aborted(signal)]); // one that still waits for its lane can be cancelled too
  }

  async function travel(card, input, model) {
    const signal = card.begin();
    try {
      const answer = await patiently(() => send(input, model, card, signal), { signal, key, onWait: card.waiting });
      card.answered({ ...answer, input, model });
    } catch (failure) {
      if (card.isSuperseded(signal)) return; // removed, or taken over by a newer drawing
      card.failed(failure, { again: () => travel(card, input, model), smaller: smaller(card, input, model) });
    }
  }

  /** What sends a picture again, as small as the server takes it; undefined for what is no picture. */
  function smaller(card, input, model) {
    return input.file && (async () => {
      const { shrink } = await import('./shrink.js');
      await shrink(card, input, (shrunk) => travel(card, shrunk, model));
    });
  }

  return { travel, smaller };
}

/** @returns {Promise<never>} rejects when the person cancels */
function aborted(signal) {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(cancelled()), { once: true });
  });
}
