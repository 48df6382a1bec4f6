// Copies a text from a button; without the clipboard API it selects the text instead.

import { announce } from './dom.js';
import { words } from './words.js';

const FEEDBACK_TIME = 2000; // milliseconds for which the button reads "Copied"

/**
 * @param {HTMLButtonElement} button
 * @param {() => string} text
 * @param {HTMLElement} [source] the element to select when copying is not allowed
 */
export function copyOnClick(button, text, source) {
  const label = button.textContent;
  let timer;
  button.addEventListener('click', async () => {
    const copied = (await writeToClipboard(text())) || copySelection(source, text());
    button.textContent = copied ? words.copied : words.copyByHand;
    announce(button.textContent);
    clearTimeout(timer);
    timer = setTimeout(() => { button.textContent = label; }, FEEDBACK_TIME);
  });
}

async function writeToClipboard(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false; // no clipboard on plain http, or not allowed
  }
}

/** The old way: select the text and have the document copy it. @returns {boolean} whether it was copied */
function copySelection(source, text) {
  const field = source ?? document.body.appendChild(Object.assign(document.createElement('pre'), { textContent: text }));
  getSelection().selectAllChildren(field);
  const copied = document.execCommand('copy');
  if (!source) field.remove();
  return copied;
}
