// Describes a JSON Schema in a few words: { "label": text, "probability": number 0…1 }.

const WORDS = { string: 'text', integer: 'whole number', boolean: 'true or false' };

/** @returns {(node: object) => object} follows $ref within the document */
export function resolver(spec) {
  const resolve = (node) =>
    (node?.$ref ? resolve(node.$ref.slice(2).split('/').reduce((at, step) => at[step.replaceAll('~1', '/')], spec)) : node);
  return resolve;
}

/** @returns {string} a schema in words */
export function describe(schema, resolve, indent = '') {
  const node = resolve(schema);
  const inner = (one, more = '') => describe(one, resolve, indent + more);
  if ('const' in node) return JSON.stringify(node.const);
  if (node.enum) return node.enum.map((one) => JSON.stringify(one)).join(' | ');
  const choices = node.anyOf ?? (node.properties ? null : node.oneOf);
  if (choices) return choices.map((one) => inner(one)).join(' | ');
  if (node.allOf) return node.allOf.map((one) => inner(one)).join(' and ');
  if (node.properties) return record(node, inner, indent);
  if (typeof node.additionalProperties === 'object') return `{ any key: ${inner(node.additionalProperties)} }`;
  return [].concat(node.type ?? 'any JSON').map((type) => single(type, node, inner)).join(' | ');
}

function record(node, inner, indent) {
  const lines = Object.entries(node.properties).map(([name, one]) => {
    const optional = node.required?.includes(name) ? '' : '?';
    return `${indent}  "${name}"${optional}: ${inner(one, '  ')}`;
  });
  return `{\n${lines.join(',\n')}\n${indent}}`;
}

function single(type, node, inner) {
  if (type === 'array' && node.items && Object.keys(node.items).length) return `[ ${inner(node.items)}, … ]${limits(node)}`;
  if (type === 'array') return `list${limits(node)}`;
  if (node.format === 'binary') return node.contentMediaType ? 'image file' : 'bytes';
  if (node.contentEncoding) return 'image in base64';
  return (WORDS[type] ?? type) + limits(node);
}

function limits({ minimum, maximum, maxItems }) {
  if (maxItems) return ` up to ${maxItems}`;
  if (minimum === undefined) return '';
  return maximum === undefined || maximum > 1e9 ? ` from ${minimum}` : ` ${minimum}…${maximum}`;
}
