// Code that calls this server: for the model's kind of input on the page, for any route in the API docs.

const MAX_ZEROS = 16; // numbers; with more a reader would not see the rest of the snippet

/** @returns {{kind: 'image' | 'text' | 'tensor', json: string}} json: the body if the input is not a picture */
function inputOf(model) {
  if (!model || model.task?.startsWith('image-')) return { kind: 'image', json: '' };
  if (model.task === 'text-classification') return { kind: 'text', json: '{"text": "I love it"}' };
  return { kind: 'tensor', json: `{"instances": [${zeros(model.input?.shape ?? [1])}]}` };
}

/** The reply's field with the answer: `instances` get `results`. */
const answerOf = (kind) => (kind === 'tensor' ? 'results' : 'predictions');

function zeros(shape) {
  if (shape.reduce((product, side) => product * side, 1) > MAX_ZEROS) return '…';
  return shape.reduceRight((inner, side) => `[${Array(side).fill(inner).join(', ')}]`, '0.0');
}

/**
 * @param {{url: string, model?: object, keyed: boolean}} target the URL, and whether the server needs a key
 * @returns {{curl: string, javascript: string, python: string}}
 */
export function snippetsFor({ url, model, keyed }) {
  const input = inputOf(model);
  return { curl: curlFor(url, input, keyed), javascript: javascript(url, input, keyed), python: python(url, input, keyed) };
}

function curlFor(url, { kind, json }, keyed) {
  return curl({ method: 'post', url, kind: kind === 'image' ? 'multipart/form-data' : 'application/json', json, keyed });
}

/** The curl command for a request. @param {{method: string, url: string, kind?: string, json?: string, file?: string, keyed: boolean}} request */
export function curl({ method, url, kind, json, file, keyed }) {
  const lines = [`curl ${quoted(url)}`];
  if (method !== 'get' && !(method === 'post' && kind)) lines.push(`-X ${method.toUpperCase()}`);
  if (keyed) lines.push('-H "Authorization: Bearer $KEY"');
  if (kind === 'multipart/form-data') lines.push(`-F image=@${file ?? 'picture.jpg'}`);
  else if (kind === 'application/json') lines.push(`-H 'Content-Type: ${kind}'`, `-d ${quoted(json)}`);
  else if (kind) lines.push(`-H 'Content-Type: ${kind.replace('*', 'jpeg')}'`, `--data-binary @${file ?? 'file'}`);
  return lines.join(' \\\n  ');
}

/** For a shell. */
const quoted = (text) => `'${text.replaceAll("'", `'\\''`)}'`;

function javascript(url, { kind, json }, keyed) {
  const isImage = kind === 'image';
  const headers = [
    ...(isImage ? [] : [`'Content-Type': 'application/json'`]),
    ...(keyed ? ['Authorization: `Bearer ${key}`'] : []),
  ];
  return [
    ...(isImage
      ? [`// works from any origin: file is a File or a Blob`, `const body = new FormData();`, `body.append('image', file);`]
      : [`// works from any origin`, `const body = JSON.stringify(${json});`]),
    ``,
    `const reply = await fetch('${url}', {`,
    `  method: 'POST',`,
    ...(headers.length ? [`  headers: { ${headers.join(', ')} },`] : []),
    `  body,`,
    `}).then((response) => response.json());`,
    ``,
    `if (!reply.success) throw new Error(reply.error);`,
    `console.log(reply.${answerOf(kind)});`,
  ].join('\n');
}

function python(url, { kind, json }, keyed) {
  return [
    `import requests  # pip install requests`,
    ``,
    `reply = requests.post(`,
    `    "${url}",`,
    kind === 'image' ? `    files={"image": open("picture.jpg", "rb")},` : `    json=${json},`,
    ...(keyed ? [`    headers={"Authorization": f"Bearer {key}"},`] : []),
    `    timeout=60,`,
    `).json()`,
    ``,
    `print(reply["${answerOf(kind)}"] if reply["success"] else reply["error"])`,
  ].join('\n');
}
