// An element with its properties and its children, in one call.

/** @param {string} tag @param {object} [properties] `testid` and `part` go into the dataset @param {...(Node | string)} children */
export function make(tag, { testid, part, ...properties } = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  if (testid) made.dataset.testid = testid;
  if (part) made.dataset.part = part;
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

/** @returns {HTMLButtonElement} a small button */
export const button = (textContent, onclick, properties = {}) =>
  make('button', { type: 'button', className: 'button small', textContent, onclick, ...properties });
