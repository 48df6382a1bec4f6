// Shows the input that the chosen model takes (pictures and drawings, a text, or numbers) and its examples.

import { examplesOf, takesPictures, takesText } from '../api/model.js';
import { make } from '../lib/dom.js';
import { createTabs } from '../lib/tabs.js';
import { words } from '../lib/words.js';
import { blankInstance } from './forms.js';

const MAX_DRAWN = 32; // pixels a side: models of small grey images (digits, letters) start with the drawing pad

const element = (id) => document.getElementById(id);

const isDrawn = ({ input }) => input?.shape?.[2] === 1 && input.shape[0] <= MAX_DRAWN;
const isDigits = ({ labels }) => labels?.length > 0 && labels.every((label) => /^\d$/.test(label));

/** The forms and tabs for a kind of input. @returns {{show: (model: object | undefined) => void}} */
export function createPanel() {
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
    if (tensor) element('tensor-input').value = blankInstance(model);
    element('no-model').hidden = Boolean(model);
    element('pad-invitation').textContent = pictures && isDigits(model) ? words.drawDigit : words.drawHere;
    element('empty-hint').textContent = model ? hint(pictures, drawn, text) : '';
  }

  return { show };
}

function title(text, tensor) {
  if (text) return words.yourText;
  return tensor ? words.yourNumbers : words.inputTitle;
}

function hint(pictures, drawn, text) {
  if (drawn) return words.hintDraw;
  if (pictures) return words.hintPicture;
  return text ? words.hintText : words.hintTensor;
}

const MAX_CHARACTERS = 60; // of a text; the rest is cut off

const nameOf = (url) => decodeURIComponent(new URL(url, document.baseURI).pathname.split('/').at(-1));

/** The row of examples: pictures as thumbnails, texts and numbers as words. @param {(input: {file?: File, text?: string, instance?: any}) => void} onExample @returns {{show: (model: object) => void}} */
export function createExamples(onExample) {
  return {
    show(model) {
      const urls = examplesOf(model);
      const create = takesPictures(model) ? pictureExample : textExample;
      element('examples').hidden = urls.length === 0;
      element('examples-list').replaceChildren(...urls.map((url, i) => make('li', {}, create(url, i + 1, onExample))));
    },
  };
}

function pictureExample(url, n, onExample) {
  const image = make('img', { src: url, alt: words.example(n), draggable: false });
  return make('button', {
    type: 'button',
    className: 'example',
    testid: 'example',
    onclick: async () => {
      const blob = await (await fetch(url)).blob();
      onExample({ file: new File([blob], nameOf(url), { type: blob.type }) });
    },
  }, image);
}

function textExample(url, n, onExample) {
  const made = make('button', { type: 'button', className: 'button small example-words', testid: 'example', textContent: words.example(n) });
  fetch(url).then(async (response) => {
    const text = (await response.text()).trim();
    const isText = response.headers.get('Content-Type').startsWith('text/plain');
    made.textContent = text.length > MAX_CHARACTERS ? `${text.slice(0, MAX_CHARACTERS)}…` : text;
    made.onclick = () => onExample(isText ? { text, title: words.yourText } : { instance: JSON.parse(text), title: words.yourNumbers });
  });
  return made;
}
