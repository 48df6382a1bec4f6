// The box for models that take numbers: JSON, checked before it is sent, one card for each instance.

import { words } from './words.js';

const ANY = 3; // how many numbers stand for "any length" in the form that is offered
const SPELT_OUT = 400; // numbers; a larger tensor has to come from elsewhere

const element = (id) => document.getElementById(id);

/** @param {(instance: any) => void} onInstance */
export function bindTensor(onInstance) {
  const form = element('tensor-panel');
  const input = element('tensor-input');

  function say(sentence) {
    element('tensor-error').textContent = sentence;
    input.setAttribute('aria-invalid', Boolean(sentence));
  }

  form.addEventListener('submit', (event) => {
    event.preventDefault();
    try {
      const instances = instancesIn(input.value);
      say('');
      instances.forEach(onInstance);
    } catch (error) {
      say(words.notJson(error.message));
      input.focus();
    }
  });
  input.addEventListener('input', () => say(''));
  input.addEventListener('keydown', (event) => {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) form.requestSubmit();
  });
}

/** One instance, or as many as stand in {"instances": […]}. */
function instancesIn(text) {
  const document = JSON.parse(text);
  return Array.isArray(document?.instances) ? document.instances : [document];
}

/** An instance of zeros in the model's shapes, as JSON; empty where it would be too long to read. */
export function blank({ inputs }) {
  const filled = inputs.map(({ name, shape, dtype }) => [name, zeros(shape ?? [], dtype === 'string' ? '' : 0)]);
  if (filled.some(([, value]) => [value].flat(Infinity).length > SPELT_OUT)) return '';
  return filled.length === 1 ? JSON.stringify(filled[0][1]) : JSON.stringify(Object.fromEntries(filled));
}

const zeros = (shape, zero) => shape.reduceRight((inner, side) => Array(side ?? ANY).fill(inner), zero);
