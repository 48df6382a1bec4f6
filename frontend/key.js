// The API key of servers that want one: asked for once, kept for this tab's visit.

const STORED = 'facenality-key';

/**
 * @param {() => void} onGiven
 * @returns {{get: () => string, ask: (reason: string) => Promise<boolean>}} ask resolves false when the person declines
 */
export function createKey(onGiven) {
  const dialog = document.getElementById('key-dialog');
  const input = document.getElementById('key-input');
  let asking = null; // several pictures may need the key at once; the person is asked once

  document.getElementById('key-cancel').addEventListener('click', () => dialog.close());
  document.getElementById('key-form').addEventListener('submit', (event) => {
    event.preventDefault();
    sessionStorage.setItem(STORED, input.value.trim());
    dialog.close('given');
    onGiven();
  });

  function open(reason) {
    document.getElementById('key-reason').textContent = reason;
    dialog.returnValue = '';
    input.value = '';
    dialog.showModal();
    return new Promise((resolve) => {
      dialog.addEventListener('close', () => resolve(dialog.returnValue === 'given'), { once: true });
    });
  }

  return {
    get: () => sessionStorage.getItem(STORED) ?? '',
    ask(reason) {
      asking ??= open(reason).finally(() => { asking = null; });
      return asking;
    },
  };
}
