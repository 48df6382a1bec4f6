// Creates elements, shows image files, and speaks to screen readers.

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

/** @returns {HTMLElement} a table that can be scrolled sideways, also by keyboard; its caption is for screen readers */
export function table(caption, heads, rows) {
  const cells = (kind, row) => make('tr', {}, ...row.map((cell) => make(kind, {}, cell)));
  return make('div', { className: 'table', tabIndex: 0 },
    make('table', {},
      make('caption', { className: 'visually-hidden', textContent: caption }),
      make('thead', {}, cells('th', heads)),
      make('tbody', {}, ...rows.map((row) => cells('td', row)))));
}

/** @returns {HTMLElement} a sentence; what stands between `backticks` is shown as code */
export function prose(sentence) {
  const parts = sentence.split('`').map((part, index) => (index % 2 ? make('code', { textContent: part }) : part));
  return make('span', {}, ...parts);
}

/** Has screen readers say a sentence. */
export function announce(sentence) {
  document.getElementById('announcer').textContent = sentence;
}

/** Shows a file in an <img> and releases its object URL afterwards. @param {() => void} [onUnreadable] */
export function showPicture(image, file, onUnreadable = () => {}) {
  const url = URL.createObjectURL(file);
  image.onload = () => {
    image.hidden = false;
    URL.revokeObjectURL(url);
  };
  image.onerror = () => {
    image.hidden = true;
    URL.revokeObjectURL(url);
    onUnreadable();
  };
  image.src = url;
}
