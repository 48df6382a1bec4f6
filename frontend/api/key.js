// The API key, on servers that need one: asked for once and kept in this tab until it is closed.

const STORED = 'facenality-key';

/** @returns {string} the key that was entered in this tab, or '' */
export const storedKey = () => sessionStorage.getItem(STORED) ?? '';

export const storeKey = (key) => sessionStorage.setItem(STORED, key.trim());

/**
 * @param {() => void} onEntered
 * @returns {{get: () => string, ask: (reason: string) => Promise<boolean>}} `ask` resolves to false when the person cancels
 */
export function createKey(onEntered) {
  const dialog = document.getElementById('key-dialog');
  const input = document.getElementById('key-input');
  let asking = null; // several inputs may need the key at once; the person is asked once

  document.getElementById('key-cancel').addEventListener('click', () => dialog.close());
  document.getElementById('key-form').addEventListener('submit', (event) => {
    event.preventDefault();
    storeKey(input.value);
    dialog.close('entered');
    onEntered();
  });

  function open(reason) {
    document.getElementById('key-reason').textContent = reason;
    dialog.returnValue = '';
    input.value = '';
    dialog.showModal();
    return new Promise((resolve) => {
      dialog.addEventListener('close', () => resolve(dialog.returnValue === 'entered'), { once: true });
    });
  }

  return {
    get: storedKey,
    ask(reason) {
      asking ??= open(reason).finally(() => { asking = null; });
      return asking;
    },
  };
}
