// The chosen model: the pickers in the header, the model's facts under the input, and the models that failed to load.

import { isNewest, takeTheSameInput } from '../api/model.js';
import { make } from '../lib/dom.js';
import { words } from '../lib/words.js';

const element = (id) => document.getElementById(id);

/**
 * @param {{default: string, models: object[], failed: object[]}} catalog the reply of `models`
 * @param {(model: object | undefined) => void} onChange called now and whenever another model is chosen
 * @returns {{current: () => object | undefined, comparableWith: (model: object) => object[]}}
 */
export function createModelPicker(catalog, onChange) {
  const { models, failed = [] } = catalog;
  const newest = models.filter(isNewest);
  const picker = element('model-picker');
  const versions = element('version-picker');
  let current = newest.find((model) => model.name === catalog.default) ?? newest[0];

  function choose(model) {
    current = model;
    element('model-name').textContent = model?.name ?? '';
    element('model-engine').textContent = model ? words.engine(model) : '';
    element('model-facts').textContent = model ? facts(model) : '';
    onChange(model);
  }

  function offerVersions() {
    const numbers = [...(current?.versions ?? [])].reverse();
    versions.replaceChildren(...numbers.map((one, i) => new Option(words.version(one, i === 0), one)));
    versions.hidden = numbers.length < 2;
  }

  const several = newest.length > 1;
  picker.append(...newest.map(({ name }) => new Option(name, name, false, name === current.name)));
  picker.hidden = !several;
  element('model-label').hidden = !several;
  element('model-name').hidden = several;
  element('model').hidden = !current;
  picker.addEventListener('change', () => {
    choose(newest.find(({ name }) => name === picker.value));
    offerVersions();
  });
  versions.addEventListener('change', () => {
    choose(models.find(({ name, version }) => name === current.name && version === versions.value));
  });

  showFailures(failed);
  choose(current);
  offerVersions();
  return {
    current: () => current,
    /** The other models and versions that take the same kind of input. */
    comparableWith: (model) => models.filter((other) => other !== model && takeTheSameInput(other, model)),
  };
}

function facts({ task, input, labels, version }) {
  const shape = input?.shape ?? [];
  const isPicture = task?.startsWith('image') && shape.length === 3 && shape.every(Boolean);
  return [
    isPicture ? words.modelSize(shape) : task === 'tensor' && shape.length && words.modelTakes(shape),
    labels?.length && words.modelLabels(labels.length),
    version && words.modelVersion(version),
  ].filter(Boolean).join(' · ');
}

function showFailures(failed) {
  element('failed-models').hidden = failed.length === 0;
  element('failed-summary').textContent = words.modelFailures(failed.length);
  element('failed-list').append(...failed.map(({ name, version, error }) =>
    make('li', {}, make('strong', { textContent: version ? `${name} ${version}` : name }), ` ${error}`)));
}
