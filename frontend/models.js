// Which models there are and which one is asked: the picker in the header, the facts under the input, the failures.

import { words } from './words.js';

const element = (id) => document.getElementById(id);

/**
 * @param {{default: string, models: object[], failed: object[]}} catalog the reply of `models`
 * @param {(model: object | undefined) => void} onChange called at once and at each change
 * @returns {{current: () => object | undefined}}
 */
export function createModels(catalog, onChange) {
  const { failed = [] } = catalog;
  const models = catalog.models.filter(({ version, versions }) => version === versions.at(-1)); // each in its newest version
  const picker = element('model-picker');
  let current = models.find((model) => model.name === catalog.default) ?? models[0];

  function choose(model) {
    current = model;
    element('model-name').textContent = model?.name ?? '';
    element('model-engine').textContent = model ? words.engine(model) : '';
    element('model-facts').textContent = model ? facts(model) : '';
    onChange(model);
  }

  const several = models.length > 1;
  picker.append(...models.map(({ name }) => new Option(name, name, false, name === current.name)));
  picker.hidden = !several;
  element('model-label').hidden = !several;
  element('model-name').hidden = several;
  element('model').hidden = !current;
  picker.addEventListener('change', () => choose(models.find((model) => model.name === picker.value)));

  showFailures(failed);
  choose(current);
  return { current: () => current };
}

function facts({ task, input, labels, version }) {
  const shape = input?.shape ?? [];
  const isPicture = task?.startsWith('image') && shape.length === 3;
  return [
    isPicture ? words.modelSize(shape) : task === 'tensor' && shape.length && words.modelTakes(shape),
    labels?.length && words.modelLabels(labels.length),
    version && words.modelVersion(version),
  ].filter(Boolean).join(' · ');
}

function showFailures(failed) {
  element('failed-models').hidden = failed.length === 0;
  element('failed-summary').textContent = words.modelFailures(failed.length);
  element('failed-list').append(...failed.map(({ name, version, error }) => {
    const item = document.createElement('li');
    const title = document.createElement('strong');
    title.textContent = version ? `${name} ${version}` : name;
    item.append(title, ` ${error}`);
    return item;
  }));
}
