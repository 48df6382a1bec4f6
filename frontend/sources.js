// Where pictures come from: the file picker, a drop anywhere on the window, a paste anywhere on the page.

import { Failure } from './failure.js';
import { words } from './words.js';

export const MAX_BYTES = 15 * 1024 * 1024; // the server's own limit, so that nobody uploads in vain

/** Why a file is not worth sending, or null. A file whose type the browser does not know is the server's to judge. */
export function objection({ name, size, type }) {
  if (type && !type.startsWith('image/')) return new Failure(words.notAPicture(name, type), { code: 'not_a_picture' });
  if (size > MAX_BYTES) return new Failure(words.tooLarge(name, size, MAX_BYTES), { code: 'too_large' });
  return null;
}

/** @param {{onFile: (file: File, refused?: Failure) => void, onSeveral: (n: number) => void}} handlers */
export function bindSources({ onFile, onSeveral }) {
  const take = (files) => {
    onSeveral(files.length);
    [...files].forEach((file) => onFile(file, objection(file)));
  };

  const picker = document.getElementById('file-input');
  function pick() {
    if (picker.files.length > 0) take(picker.files);
    picker.value = ''; // so that the same file can be chosen again
  }
  picker.addEventListener('change', pick);
  pick(); // what was chosen before this script came alive

  const isMac = /Mac|iPhone|iPad/.test(navigator.platform);
  document.getElementById('paste-key').textContent = words.pasteKey(isMac);
  document.addEventListener('paste', (event) => {
    const files = event.clipboardData?.files ?? [];
    if (files.length === 0) return;
    event.preventDefault();
    take(files);
  });

  bindDrop((items) => {
    onSeveral(items.length);
    for (const { file, isFolder } of items) {
      onFile(file, isFolder ? new Failure(words.isFolder(file.name), { code: 'folder' }) : objection(file));
    }
  });
}

function bindDrop(onDrop) {
  const veil = document.getElementById('drop-veil');
  const carriesFiles = (event) => event.dataTransfer?.types.includes('Files');
  let depth = 0; // dragenter and dragleave come once for every element crossed

  function track(event, step) {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    depth = Math.max(0, depth + step);
    veil.hidden = depth === 0;
  }

  addEventListener('dragenter', (event) => track(event, 1));
  addEventListener('dragleave', (event) => track(event, -1));
  addEventListener('dragover', (event) => track(event, 0));
  addEventListener('drop', (event) => {
    track(event, -depth);
    if (carriesFiles(event)) onDrop(filesIn(event.dataTransfer));
  });
}

function filesIn({ items }) {
  return [...items]
    .filter((item) => item.kind === 'file')
    .map((item) => ({ file: item.getAsFile(), isFolder: item.webkitGetAsEntry?.()?.isDirectory ?? false }))
    .filter(({ file }) => file);
}
