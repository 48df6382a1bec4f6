// The command that does with curl what the form does.

const quoted = (text) => `'${text.replaceAll("'", `'\\''`)}'`;

/** @param {{method: string, url: string, kind?: string, json?: string, file?: string, keyed: boolean}} request */
export function curl({ method, url, kind, json, file, keyed }) {
  const isForm = kind === 'multipart/form-data';
  const lines = [`curl ${quoted(url)}`];
  if (method !== 'get' && !(method === 'post' && kind)) lines.push(`-X ${method.toUpperCase()}`);
  if (keyed) lines.push('-H "Authorization: Bearer $KEY"');
  if (isForm) lines.push(`-F image=@${file ?? 'picture.jpg'}`);
  else if (kind === 'application/json') lines.push(`-H 'Content-Type: ${kind}'`, `-d ${quoted(json)}`);
  else if (kind) lines.push(`-H 'Content-Type: ${kind.replace('*', 'jpeg')}'`, `--data-binary @${file ?? 'file'}`);
  return lines.join(' \\\n  ');
}
