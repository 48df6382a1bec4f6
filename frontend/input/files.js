// Image files: chosen, dropped or pasted, checked before they are sent, and made smaller on request.

import { Failure } from '../api/failure.js';
import { make, showPicture } from '../lib/dom.js';
import { words } from '../lib/words.js';

const MAX_BYTES = 15 * 1024 * 1024; // the server's own limit, so that larger files are not uploaded for nothing

/** @returns {Failure | null} why a file is not sent; the server judges files whose type the browser does not know */
function refusalOf({ name, size, type }) {
  if (type && !type.startsWith('image/')) return new Failure(words.notAPicture(name, type), { code: 'not_a_picture' });
  if (size > MAX_BYTES) return new Failure(words.tooLarge(name, size, MAX_BYTES), { code: 'too_large' });
  return null;
}

/** @param {{onFile: (file: File, refused?: Failure) => void, onSeveral: (n: number) => void}} handlers */
export function bindFiles({ onFile, onSeveral }) {
  const handOver = (files) => {
    onSeveral(files.length);
    [...files].forEach((file) => onFile(file, refusalOf(file)));
  };

  const picker = document.getElementById('file-input');
  function pick() {
    if (picker.files.length > 0) handOver(picker.files);
    picker.value = ''; // so that the same file can be chosen again
  }
  picker.addEventListener('change', pick);
  pick(); // files that were chosen before this script ran

  const isMac = /Mac|iPhone|iPad/.test(navigator.platform);
  document.getElementById('paste-key').textContent = words.pasteKey(isMac);
  document.addEventListener('paste', (event) => {
    const files = event.clipboardData?.files ?? [];
    if (files.length === 0) return;
    event.preventDefault();
    handOver(files);
  });

  bindDrop((items) => {
    onSeveral(items.length);
    for (const { file, isFolder } of items) {
      onFile(file, isFolder ? new Failure(words.isFolder(file.name), { code: 'folder' }) : refusalOf(file));
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

const MAX_PIXELS = 12e6; // a phone's photograph: far below the server's limits, far above what models see
const QUALITY = 0.9;

/** A picture as a JPEG of at most twelve megapixels. @param {File} file @returns {Promise<File>} or throws a Failure if the browser cannot read it */
export async function shrink(file) {
  const image = await decode(file).catch(() => {
    throw new Failure(words.cannotShrink(file.name), { code: 'not_readable' });
  });
  const scale = Math.min(1, Math.sqrt(MAX_PIXELS / (image.naturalWidth * image.naturalHeight)));
  const canvas = make('canvas', {
    width: Math.max(1, Math.floor(image.naturalWidth * scale)),
    height: Math.max(1, Math.floor(image.naturalHeight * scale)),
  });
  const context = canvas.getContext('2d', { alpha: false });
  context.fillStyle = '#fff'; // transparent parts become white, as on the server
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.imageSmoothingQuality = 'high';
  context.drawImage(image, 0, 0, canvas.width, canvas.height);
  const blob = await new Promise((resolve) => canvas.toBlob(resolve, 'image/jpeg', QUALITY));
  return new File([blob], `${file.name.replace(/\.\w+$/, '')}.jpg`, { type: blob.type });
}

const decode = (file) => new Promise((resolve, reject) => {
  const image = new Image();
  showPicture(image, file, reject);
  image.addEventListener('load', () => resolve(image));
});
