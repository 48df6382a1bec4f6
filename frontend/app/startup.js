// Waits until the server is ready. Later it tells when the browser is offline and when the page has been updated.

import { fetchModels, fetchReady } from '../api/client.js';
import { isOutdated } from '../api/page_version.js';
import { button } from '../lib/dom.js';
import { words } from '../lib/words.js';

const POLL_INTERVAL = 1000; // milliseconds between requests of `readyz`: quick for people, cheap for the server
const TIME_TO_READ = 2500; // milliseconds that the message stands before the page reloads

const element = (id) => document.getElementById(id);
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** @returns {Promise<object>} the reply of `models`, once `readyz` reports ready */
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
      show(words.titleUnreachable, { error: failure.status ? failure.message : words.keepsTrying });
    }
    await sleep(POLL_INTERVAL);
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

/**
 * The line under the header: "offline" while the browser is, and that the page is outdated once the server has been
 * updated. That is checked whenever the page comes back into view or online.
 * @param {() => boolean} isReloadHarmless whether a reload loses no answers; then the page reloads by itself
 */
export function bindConnection(isReloadHarmless) {
  const banner = element('connection');
  let outdated = false;

  function showOffline() {
    if (!outdated) banner.textContent = navigator.onLine ? '' : words.offline;
  }

  async function checkVersion() {
    if (outdated || document.hidden || !(await isOutdated())) return;
    outdated = true;
    if (isReloadHarmless()) {
      banner.textContent = words.outdatedReloading;
      await sleep(TIME_TO_READ);
      location.reload();
    } else {
      banner.replaceChildren(words.outdated, ' ', button(words.reload, () => location.reload()));
    }
  }

  addEventListener('offline', showOffline);
  addEventListener('online', () => {
    showOffline();
    checkVersion();
  });
  addEventListener('focus', checkVersion);
  document.addEventListener('visibilitychange', checkVersion);
  showOffline();
}
