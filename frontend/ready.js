// Waits until the server is ready, showing what it is doing meanwhile, and then hands over its models.

import { fetchModels, fetchReady } from './api.js';
import { words } from './words.js';

const PAUSE = 1000; // milliseconds between two looks: quick enough to feel alive, cheap for the server

const element = (id) => document.getElementById(id);
const pause = () => new Promise((resolve) => setTimeout(resolve, PAUSE));

/** @returns {Promise<object>} the reply of `models`, once `readyz` says ready */
export async function whenReady() {
  for (;;) {
    try {
      const state = await fetchReady();
      if (state.ready) {
        const models = await fetchModels();
        element('loading').hidden = true;
        return models;
      }
      show(state.stage ? words.titleLoading : words.titleWaiting, state);
    } catch (failure) {
      show(words.titleUnreachable, { error: failure.status ? failure.message : words.unreachable });
    }
    await pause();
  }
}

function show(title, { stage, percent = null, error = '' }) {
  element('loading').hidden = false;
  element('loading-title').textContent = title;
  element('loading-stage').textContent = stage ? words.loadingStage(stage, percent) : error;
  const progress = element('loading-progress');
  if (percent === null) progress.removeAttribute('value');
  else progress.value = percent;
}
