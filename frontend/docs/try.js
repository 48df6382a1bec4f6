// A form that calls a route, and the curl command for the same request.

import { curl } from '../api/snippets.js';
import { copyOnClick } from '../lib/copy.js';
import { make } from '../lib/dom.js';

export function createTry(operation, parameters, { resolve, key }) {
  const fields = parameters.filter((one) => one.in !== 'header').map((one) => field(operation, one));
  const body = operation.requestBody ? createBody(operation, operation.requestBody.content, resolve) : null;
  const command = make('code');
  const copy = make('button', { type: 'button', className: 'button small', textContent: 'Copy' });
  const answer = make('pre', { className: 'shape', tabIndex: 0, hidden: true });
  const state = make('p', { className: 'quiet', role: 'status' });
  const form = make('form', { className: 'try' },
    ...fields.map((one) => one.element), ...(body ? body.elements : []),
    make('div', { className: 'snippet' }, make('pre', {}, command), copy),
    make('button', { className: 'button primary', textContent: 'Send' }), state, answer);

  const keyed = Boolean(operation.security);
  const describe = () => {
    command.textContent = curl({ method: operation.method, url: address(), ...body?.described(), keyed });
  };
  const address = () => new URL(fill(operation.path, fields), document.baseURI).href;

  form.addEventListener('input', describe);
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    state.textContent = 'Waiting…';
    const started = performance.now();
    const headers = { ...body?.headers(), ...(keyed && key() ? { Authorization: `Bearer ${key()}` } : {}) };
    try {
      const reply = await fetch(address(), { method: operation.method.toUpperCase(), headers, body: body?.content() });
      const kind = reply.headers.get('Content-Type') ?? '';
      answer.textContent = await text(reply, kind);
      answer.hidden = false;
      state.textContent = `${reply.status}, ${kind}, ${Math.round(performance.now() - started)} ms`;
    } catch {
      state.textContent = 'The server cannot be reached.';
    }
  });
  copyOnClick(copy, () => command.textContent, command);
  describe();
  return form;
}

async function text(reply, kind) {
  if (kind.startsWith('application/json')) return JSON.stringify(await reply.json(), null, 2);
  return kind.startsWith('application/octet-stream') ? `${(await reply.blob()).size} bytes` : reply.text();
}

function field({ operationId }, { name, in: where, required = false }) {
  const id = `${operationId}-${name}`;
  const input = make('input', { id, required, spellcheck: false, autocomplete: 'off' });
  const element = make('div', { className: 'field' }, make('label', { className: 'field-label', htmlFor: id, textContent: name }), input);
  return { element, name, where, value: () => input.value };
}

/** The path with its parameters; relative, so that the server may be served under any path. */
function fill(path, fields) {
  const query = new URLSearchParams();
  let filled = path.slice(1) || './';
  for (const { name, where, value } of fields) {
    if (where === 'path') filled = filled.replace(`{${name}}`, encodeURIComponent(value() || name.toUpperCase()));
    else if (value()) query.set(name, value());
  }
  return query.size ? `${filled}?${query}` : filled;
}

function createBody({ operationId }, content, resolve) {
  const kinds = Object.keys(content);
  const select = make('select', { id: `${operationId}-kind` }, ...kinds.map((kind) => make('option', { textContent: kind })));
  const file = make('input', { type: 'file', id: `${operationId}-file` });
  const json = make('textarea', { id: `${operationId}-json`, rows: 5, spellcheck: false, value: exampleOf(content, resolve) });
  const label = (control, textContent) => make('label', { className: 'field-label', htmlFor: control.id, textContent });
  const ofFile = make('div', { className: 'field' }, label(file, 'File'), file);
  const ofJson = make('div', { className: 'field wide' }, label(json, 'JSON'), json);
  const isJson = () => select.value === 'application/json';
  const isForm = () => select.value === 'multipart/form-data';
  const extra = formFields({ operationId }, content['multipart/form-data'], resolve);
  const choose = () => {
    ofJson.hidden = !isJson();
    ofFile.hidden = isJson();
    for (const one of extra) one.element.hidden = !isForm();
  };
  select.addEventListener('change', choose);
  choose();

  function form() {
    const data = new FormData();
    if (file.files[0]) data.append('image', file.files[0]);
    for (const one of extra) if (one.value()) data.append(one.name, one.value());
    return data;
  }

  const kind = () => (select.value === 'image/*' ? file.files[0]?.type || 'image/jpeg' : select.value);
  return {
    elements: [make('div', { className: 'field' }, label(select, 'Content type'), select), ofFile, ...extra.map((one) => one.element), ofJson],
    described: () => ({ kind: select.value, json: json.value, file: file.files[0]?.name }),
    headers: () => (isForm() ? {} : { 'Content-Type': kind() }), // the browser adds a form's boundary
    content: () => (isForm() ? form() : isJson() ? json.value : file.files[0]),
  };
}

/** The form's fields other than the file. */
function formFields(operation, form, resolve) {
  const names = Object.keys(form ? resolve(form.schema).properties : {}).filter((name) => name !== 'image');
  return names.map((name) => field(operation, { name, in: 'form' }));
}

function exampleOf(content, resolve) {
  const { schema, examples } = content['application/json'] ?? {};
  const [first] = Object.values(examples ?? {});
  const required = schema ? resolve(schema).required ?? [] : [];
  return JSON.stringify(first?.value ?? Object.fromEntries(required.map((name) => [name, ''])));
}
