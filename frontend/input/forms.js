// The forms for models that take a text or numbers. Ctrl+Enter sends, as does the button.

import { words } from '../lib/words.js';

/** @param {(text: string) => void} onText */
export function bindTextForm(onText) {
  const form = document.getElementById('text-panel');
  const input = document.getElementById('text-input');

  form.addEventListener('submit', (event) => {
    event.preventDefault();
    if (input.value.trim()) onText(input.value.trim());
  });
  input.addEventListener('keydown', (event) => {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) form.requestSubmit();
  });
}

const PLACEHOLDER_LENGTH = 3; // numbers shown for a side of any length
const MAX_PREFILLED = 400; // numbers; a larger tensor would not be readable in the form

/** @param {(instance: any) => void} onInstance */
export function bindNumberForm(onInstance) {
  const form = document.getElementById('tensor-panel');
  const input = document.getElementById('tensor-input');

  function showError(sentence) {
    document.getElementById('tensor-error').textContent = sentence;
    input.setAttribute('aria-invalid', Boolean(sentence));
  }

  form.addEventListener('submit', (event) => {
    event.preventDefault();
    try {
      const instances = instancesIn(input.value);
      showError('');
      instances.forEach(onInstance);
    } catch (error) {
      showError(words.notJson(error.message));
      input.focus();
    }
  });
  input.addEventListener('input', () => showError(''));
  input.addEventListener('keydown', (event) => {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) form.requestSubmit();
  });
}

/** Reads one instance, or several from {"instances": […]}. Throws a SyntaxError where the text is not JSON. */
function instancesIn(text) {
  const document = JSON.parse(text);
  return Array.isArray(document?.instances) ? document.instances : [document];
}

/** An instance of zeros in the model's shapes, as JSON; an empty text where it would be too long to read. */
export function blankInstance({ inputs }) {
  const filled = inputs.map(({ name, shape, dtype }) => [name, zeros(shape ?? [], dtype === 'string' ? '' : 0)]);
  if (filled.some(([, value]) => [value].flat(Infinity).length > MAX_PREFILLED)) return '';
  return filled.length === 1 ? JSON.stringify(filled[0][1]) : JSON.stringify(Object.fromEntries(filled));
}

const zeros = (shape, zero) => shape.reduceRight((inner, side) => Array(side ?? PLACEHOLDER_LENGTH).fill(inner), zero);
