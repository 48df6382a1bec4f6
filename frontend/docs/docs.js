// The API docs: the page reads everything from openapi.json when it is opened.

import { storedKey, storeKey } from '../api/key.js';
import { make, prose, table } from '../lib/dom.js';
import { describe, resolver } from './schema.js';
import { createTry } from './try.js';

const byId = (id) => document.getElementById(id);

function show(spec) {
  byId('version').textContent = `· ${spec.info.version}`;
  byId('about').replaceChildren(prose(spec.info.description));
  const keyed = Boolean(spec.components.securitySchemes);
  byId('key-field').hidden = !keyed;
  const key = byId('key');
  key.value = storedKey();
  key.addEventListener('input', () => storeKey(key.value));
  const tools = { resolve: resolver(spec), key: () => (keyed ? key.value.trim() : '') };
  for (const tag of spec.tags) showGroup(tag, operationsOf(spec, tag.name), tools);
  openNamed();
}

function operationsOf(spec, tag) {
  return Object.entries(spec.paths).flatMap(([path, methods]) =>
    Object.entries(methods)
      .filter(([, operation]) => operation.tags.includes(tag))
      .map(([method, operation]) => ({ path, method, ...operation })));
}

function showGroup(tag, operations, tools) {
  const id = tag.name.toLowerCase().replaceAll(' ', '-');
  byId('contents').append(make('a', { href: `#${id}`, textContent: tag.name }));
  byId('groups').append(make('section', { ariaLabel: tag.name },
    make('h2', { id, textContent: tag.name }),
    make('p', { className: 'quiet' }, prose(tag.description)),
    ...operations.map((operation) => createOperation(operation, tools))));
}

/** Opens the route that is named in the URL, such as #predict. */
function openNamed() {
  const named = byId(decodeURIComponent(location.hash.slice(1)));
  if (named instanceof HTMLDetailsElement) named.open = true;
  named?.scrollIntoView();
}

/** One route: its parameters, its body, its replies, and a form that calls it. @param {object} operation from the document, with its path and method */
function createOperation(operation, tools) {
  const details = make('details', { className: 'operation', id: operation.operationId }, heading(operation));
  // Forty routes are many elements; those of a route are created when it is first opened.
  details.addEventListener('toggle', () => details.append(body(operation, tools)), { once: true });
  return details;
}

function heading({ method, path, summary, security }) {
  return make('summary', {},
    make('span', { className: `method ${method}`, textContent: method }),
    make('code', { textContent: path }),
    make('span', { className: 'summary', textContent: summary }),
    security ? make('span', { className: 'needs-key', textContent: 'key' }) : null);
}

function body(operation, tools) {
  const parameters = operation.parameters.map(tools.resolve);
  return make('div', { className: 'operation-body' },
    operation.description ? make('p', {}, prose(operation.description)) : null,
    createTry(operation, parameters, tools),
    title('Parameters'), parametersTable(parameters, tools.resolve),
    ...requestOf(operation, tools.resolve),
    title('Replies'), ...repliesOf(operation, tools.resolve));
}

const title = (text) => make('h3', { textContent: text });
const code = (text) => make('code', { textContent: text });
const shape = (schema, resolve) => make('pre', { className: 'shape', tabIndex: 0, textContent: describe(schema, resolve) });

function parametersTable(parameters, resolve) {
  const rows = parameters.map(({ name, in: where, schema, description, required }) =>
    [code(name), where, describe(schema, resolve) + (required ? ', required' : ''), prose(description)]);
  return table('Parameters', ['Name', 'In', 'Kind', 'Meaning'], rows);
}

function requestOf({ requestBody }, resolve) {
  if (!requestBody) return [];
  const kinds = Object.entries(requestBody.content).flatMap(([kind, { schema }]) =>
    [make('p', {}, code(kind)), shape(schema, resolve)]);
  return [title('Body'), make('p', { textContent: requestBody.description }), ...kinds];
}

function repliesOf({ responses }, resolve) {
  const replies = Object.entries(responses).map(([status, reply]) => [status, resolve(reply)]);
  const good = replies.filter(([status]) => status < 400).flatMap(([status, reply]) => [
    make('p', {}, make('strong', { textContent: status }), ` ${reply.description} `, headersOf(reply)),
    ...Object.entries(reply.content ?? {}).flatMap(([kind, { schema }]) => [make('p', {}, code(kind)), shape(schema, resolve)]),
  ]);
  const errors = replies.filter(([status]) => status >= 400);
  const rows = errors.map(([status, reply]) => [make('strong', { textContent: status }), meaningOf(reply), headersOf(reply)]);
  return [...good, make('details', { className: 'errors' },
    make('summary', { textContent: `Errors: ${errors.map(([status]) => status).join(', ')}` }),
    table('Errors', ['Status', 'Codes', 'Headers'], rows))];
}

const headersOf = ({ headers = {} }) => make('span', { className: 'quiet', textContent: Object.keys(headers).join(', ') });

/** A title, then a list of codes: `malformed`: the request cannot be read. */
function meaningOf(reply) {
  const [first, ...codes] = reply.description.split('\n').filter(Boolean);
  const items = codes.map((line) => make('li', {}, prose(line.slice('- '.length))));
  return make('div', {}, first, make('ul', {}, ...items));
}

try {
  const reply = await fetch('openapi.json');
  if (!reply.ok) throw new Error(reply.status);
  show(await reply.json());
  addEventListener('hashchange', openNamed);
} catch {
  byId('about').textContent = 'The document cannot be loaded. Reload the page to try again.';
}
