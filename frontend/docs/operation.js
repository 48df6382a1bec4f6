// One route: what it takes, what it answers, how curl asks it, and a form that asks it.

import { make, prose, table } from './elements.js';
import { words } from './schema.js';
import { createTry } from './try.js';

/** @param {object} operation from the document, with its path and method */
export function createOperation(operation, tools) {
  const details = make('details', { className: 'operation', id: operation.operationId }, heading(operation));
  // Forty routes are a lot of elements; each is made when it is first opened.
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
const shape = (schema, resolve) => make('pre', { className: 'shape', tabIndex: 0, textContent: words(schema, resolve) });

function parametersTable(parameters, resolve) {
  const rows = parameters.map(({ name, in: where, schema, description, required }) =>
    [code(name), where, words(schema, resolve) + (required ? ', required' : ''), prose(description)]);
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
  const rows = errors.map(([status, reply]) => [make('strong', { textContent: status }), description(reply), headersOf(reply)]);
  return [...good, make('details', { className: 'errors' },
    make('summary', { textContent: `Errors: ${errors.map(([status]) => status).join(', ')}` }),
    table('Errors', ['Status', 'Codes', 'Headers'], rows))];
}

const headersOf = ({ headers = {} }) => make('span', { className: 'quiet', textContent: Object.keys(headers).join(', ') });

/** A title, then a list of codes: `malformed`: the request cannot be read. */
function description(reply) {
  const [first, ...codes] = reply.description.split('\n').filter(Boolean);
  const items = codes.map((line) => make('li', {}, prose(line.slice('- '.length))));
  return make('div', {}, first, make('ul', {}, ...items));
}
