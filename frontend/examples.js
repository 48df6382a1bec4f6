// The examples that come with a model: a row to click, pictures as thumbnails and the rest as words.

import { examplesOf } from './models.js';
import { make } from './make.js';
import { takesPictures } from './stage.js';
import { words } from './words.js';

const SHOWN = 60; // characters of a text

const element = (id) => document.getElementById(id);
const nameOf = (url) => decodeURIComponent(new URL(url, document.baseURI).pathname.split('/').at(-1));

/** @param {(input: {file?: File, text?: string, instance?: any}) => void} onChosen @returns {{show: (model: object) => void}} */
export function createExamples(onChosen) {
  return {
    show(model) {
      const urls = examplesOf(model);
      const present = takesPictures(model) ? showPicture : showWords;
      element('examples').hidden = urls.length === 0;
      element('examples-list').replaceChildren(...urls.map((url, i) => make('li', {}, present(url, i + 1, onChosen))));
    },
  };
}

function showPicture(url, n, onChosen) {
  const image = make('img', { src: url, alt: words.example(n), draggable: false });
  return make('button', {
    type: 'button',
    className: 'example',
    testid: 'example',
    onclick: async () => {
      const blob = await (await fetch(url)).blob();
      onChosen({ file: new File([blob], nameOf(url), { type: blob.type }) });
    },
  }, image);
}

function showWords(url, n, onChosen) {
  const made = make('button', { type: 'button', className: 'button small example-words', testid: 'example', textContent: words.example(n) });
  fetch(url).then(async (response) => {
    const text = (await response.text()).trim();
    const isText = response.headers.get('Content-Type').startsWith('text/plain');
    made.textContent = text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text;
    made.onclick = () => onChosen(isText ? { text, title: words.yourText } : { instance: JSON.parse(text), title: words.yourNumbers });
  });
  return made;
}
