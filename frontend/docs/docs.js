// The page of the interface: everything on it is read off openapi.json, when it is opened.

import { make, prose } from './elements.js';
import { createOperation } from './operation.js';
import { resolver } from './schema.js';

const KEY = 'facenality-key'; // of the page, too: a key is typed once a visit

const byId = (id) => document.getElementById(id);

function show(spec) {
  byId('version').textContent = `· ${spec.info.version}`;
  byId('about').replaceChildren(prose(spec.info.description));
  const keyed = Boolean(spec.components.securitySchemes);
  byId('key-field').hidden = !keyed;
  const key = byId('key');
  key.value = sessionStorage.getItem(KEY) ?? '';
  key.addEventListener('input', () => sessionStorage.setItem(KEY, key.value.trim()));
  const tools = { resolve: resolver(spec), key: () => (keyed ? key.value.trim() : '') };
  for (const tag of spec.tags) group(tag, operationsOf(spec, tag.name), tools);
  openNamed();
}

function operationsOf(spec, tag) {
  return Object.entries(spec.paths).flatMap(([path, methods]) =>
    Object.entries(methods)
      .filter(([, operation]) => operation.tags.includes(tag))
      .map(([method, operation]) => ({ path, method, ...operation })));
}

function group(tag, operations, tools) {
  const id = tag.name.toLowerCase().replaceAll(' ', '-');
  byId('contents').append(make('a', { href: `#${id}`, textContent: tag.name }));
  byId('groups').append(make('section', { ariaLabel: tag.name },
    make('h2', { id, textContent: tag.name }),
    make('p', { className: 'quiet' }, prose(tag.description)),
    ...operations.map((operation) => createOperation(operation, tools))));
}

/** The address may name a route, #predict. */
function openNamed() {
  const named = byId(decodeURIComponent(location.hash.slice(1)));
  if (named instanceof HTMLDetailsElement) named.open = true;
  named?.scrollIntoView();
}

try {
  const reply = await fetch('openapi.json');
  if (!reply.ok) throw new Error(reply.status);
  show(await reply.json());
  addEventListener('hashchange', openNamed);
} catch {
  byId('about').textContent = 'The document cannot be read; reload the page to try again.';
}
