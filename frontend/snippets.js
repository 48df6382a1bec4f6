// Code that calls the model from elsewhere, for each kind of input a model takes.

const LARGEST_SPELT_OUT = 16; // numbers; a larger tensor would bury the rest of the snippet

/** @returns {{kind: 'image' | 'text' | 'tensor', json: string}} json: the body where it is not a picture */
function inputOf(model) {
  if (!model || model.task?.startsWith('image-')) return { kind: 'image', json: '' };
  if (model.task === 'text-classification') return { kind: 'text', json: '{"text": "I love it"}' };
  return { kind: 'tensor', json: `{"instances": [${zeros(model.input?.shape ?? [1])}]}` };
}

/** Where a reply keeps its answer: many instances get many results. */
const answerOf = (kind) => (kind === 'tensor' ? 'results' : 'predictions');

function zeros(shape) {
  if (shape.reduce((product, side) => product * side, 1) > LARGEST_SPELT_OUT) return '…';
  return shape.reduceRight((inner, side) => `[${Array(side).fill(inner).join(', ')}]`, '0.0');
}

/**
 * @param {{url: string, model?: object, keyed: boolean}} target where to send to, and whether the server wants a key
 * @returns {{curl: string, javascript: string, python: string}}
 */
export function snippetsFor({ url, model, keyed }) {
  const input = inputOf(model);
  return { curl: curl(url, input, keyed), javascript: javascript(url, input, keyed), python: python(url, input, keyed) };
}

function curl(url, { kind, json }, keyed) {
  return [
    `curl '${url}'`,
    ...(keyed ? [`-H "Authorization: Bearer $KEY"`] : []),
    ...(kind === 'image' ? [`-F image=@picture.jpg`] : [`-H 'Content-Type: application/json'`, `-d '${json}'`]),
  ].join(' \\\n  ');
}

function javascript(url, { kind, json }, keyed) {
  const isImage = kind === 'image';
  const headers = [
    ...(isImage ? [] : [`'Content-Type': 'application/json'`]),
    ...(keyed ? ['Authorization: `Bearer ${key}`'] : []),
  ];
  return [
    ...(isImage
      ? [`// any page may call it: file is a File or a Blob`, `const body = new FormData();`, `body.append('image', file);`]
      : [`// any page may call it`, `const body = JSON.stringify(${json});`]),
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
