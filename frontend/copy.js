// Puts a text on the clipboard from a button that says so; without the clipboard API it selects the text instead.

import { announce } from './announce.js';
import { words } from './words.js';

const SHOWN_FOR = 2000; // milliseconds that the button says "Copied"

/**
 * @param {HTMLButtonElement} button
 * @param {() => string} text
 * @param {HTMLElement} [source] the element to select when copying is not allowed
 */
export function copyOnClick(button, text, source) {
  const label = button.textContent;
  let timer;
  button.addEventListener('click', async () => {
    const copied = (await toClipboard(text())) || selected(source, text());
    button.textContent = copied ? words.copied : words.copyByHand;
    announce(button.textContent);
    clearTimeout(timer);
    timer = setTimeout(() => { button.textContent = label; }, SHOWN_FOR);
  });
}

async function toClipboard(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false; // no clipboard on plain http, or not allowed
  }
}

/** The old way: select, and ask the document to copy. True when it did. */
function selected(source, text) {
  const field = source ?? document.body.appendChild(Object.assign(document.createElement('pre'), { textContent: text }));
  getSelection().selectAllChildren(field);
  const copied = document.execCommand('copy');
  if (!source) field.remove();
  return copied;
}
