// A line for an element: its tag, its properties, what is inside.

export function make(tag, properties = {}, ...inside) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...inside.filter((one) => one !== null));
  return element;
}

/** A table with a caption for those who do not see where it stands. */
export function table(caption, heads, rows) {
  const cells = (kind, row) => make('tr', {}, ...row.map((cell) => make(kind, {}, cell)));
  return make('div', { className: 'table', tabIndex: 0 }, // it may scroll, also by keyboard
    make('table', {},
      make('caption', { className: 'visually-hidden', textContent: caption }),
      make('thead', {}, cells('th', heads)),
      make('tbody', {}, ...rows.map((row) => cells('td', row)))));
}

/** A sentence in which `this` is code. */
export function prose(sentence) {
  const parts = sentence.split('`').map((part, index) => (index % 2 ? make('code', { textContent: part }) : part));
  return make('span', {}, ...parts);
}
