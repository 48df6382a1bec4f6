// What follows from a model's entry in the reply of `models`: the inputs it takes, its title, the URLs to call it.

const TOP = 5; // labels in one answer: as many as a card shows
const TOP_OF_MULTI_LABEL = 20; // where several labels may be true, all of those should be shown

export const takesPictures = (model) => Boolean(model?.task?.startsWith('image-'));
export const takesText = (model) => model?.task === 'text-classification';

/** Whether exactly one label is right, so that an answer can be corrected by naming it. */
export const hasOneLabel = ({ task, multi_label: multiLabel }) => task.endsWith('classification') && !multiLabel;

export const isNewest = ({ version, versions }) => version === versions.at(-1);

/** @returns {string} a model's name, with its version where there are several */
export const titleOf = ({ name, version, versions }) => (versions.length > 1 ? `${name} ${version}` : name);

/** @returns {number} how many labels to request */
export const topOf = (model) => (model?.multi_label ? TOP_OF_MULTI_LABEL : TOP);

/** @returns {string} a route's URL with the model in its query; the newest version is not named, so that code follows newer ones */
export function urlFor(route, model, more = {}) {
  const version = model?.version === model?.versions?.at(-1) ? '' : model?.version;
  const query = { model: model?.name, version, ...more };
  return `${route}?${new URLSearchParams(Object.entries(query).filter(([, value]) => value))}`;
}

/** @returns {string[]} the URLs of the examples that come with a model */
export const examplesOf = (model) =>
  (model?.examples ?? []).map((file) => urlFor(`models/${encodeURIComponent(model.name)}/examples/${encodeURIComponent(file)}`, model));

/** @returns {boolean} whether both models can predict on the same input */
export function takeTheSameInput(one, other) {
  if (one.task === 'tensor' || other.task === 'tensor') {
    return one.task === other.task && JSON.stringify(one.inputs) === JSON.stringify(other.inputs);
  }
  return one.task.split('-')[0] === other.task.split('-')[0]; // image or text
}
