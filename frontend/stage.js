// Shows the kind of input the chosen model takes: pictures and drawings, a text, or numbers.

import { blank } from './tensor.js';
import { createTabs } from './tabs.js';
import { words } from './words.js';

const DRAWN_AT_MOST = 32; // pixels a side: small grey models (digits, letters) are best met with a pen

const element = (id) => document.getElementById(id);

export const takesPictures = (model) => Boolean(model?.task?.startsWith('image-'));
const takesText = (model) => model?.task === 'text-classification';
const isDrawn = ({ input }) => input?.shape?.[2] === 1 && input.shape[0] <= DRAWN_AT_MOST;
const isDigits = ({ labels }) => labels?.length > 0 && labels.every((label) => /^\d$/.test(label));

/** @returns {{show: (model: object | undefined) => void}} */
export function createStage() {
  const tabs = createTabs(element('input-tabs'));

  function show(model) {
    const pictures = takesPictures(model);
    const text = takesText(model);
    const tensor = Boolean(model) && !pictures && !text;
    const drawn = pictures && isDrawn(model);
    if (pictures) tabs.select(element(drawn ? 'tab-draw' : 'tab-picture'));
    tabs.show(pictures);
    element('stage-title').hidden = pictures;
    element('stage-title').textContent = title(text, tensor);
    element('text-panel').hidden = !text;
    element('tensor-panel').hidden = !tensor;
    if (tensor) element('tensor-input').value = blank(model);
    element('no-model').hidden = Boolean(model);
    element('pad-invitation').textContent = pictures && isDigits(model) ? words.drawDigit : words.drawHere;
    element('empty-hint').textContent = model ? hint(pictures, drawn, text) : '';
  }

  return { show };
}

function title(text, tensor) {
  if (text) return words.yourText;
  return tensor ? words.yourNumbers : words.noInput;
}

function hint(pictures, drawn, text) {
  if (drawn) return words.hintDraw;
  if (pictures) return words.hintPicture;
  return text ? words.hintText : words.hintTensor;
}
