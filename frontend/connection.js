// Says in the open that the browser is offline, and takes it back by itself.

import { words } from './words.js';

export function bindConnection() {
  const banner = document.getElementById('connection');
  const show = () => { banner.textContent = navigator.onLine ? '' : words.offline; };
  addEventListener('online', show);
  addEventListener('offline', show);
  show();
}
