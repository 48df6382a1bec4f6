// A picture that is too large, made smaller by the browser: as a JPEG of at most twelve megapixels.

import { Failure } from './failure.js';
import { showPicture } from './thumb.js';
import { make } from './make.js';
import { words } from './words.js';

const MOST_PIXELS = 12e6; // a phone's photograph: far below every limit of the server, far above what models see
const QUALITY = 0.9;

/** @param {object} card @param {{file: File}} input @param {(input: object) => Promise<void>} onSmaller */
export async function shrink(card, input, onSmaller) {
  card.working(words.shrinking);
  try {
    const smaller = { ...input, file: await smallerFile(input.file) };
    card.show(smaller);
    await onSmaller(smaller);
  } catch {
    card.failed(new Failure(words.cannotShrink(input.file.name), { code: 'not_readable' }));
  }
}

async function smallerFile(file) {
  const image = await decoded(file);
  const scale = Math.min(1, Math.sqrt(MOST_PIXELS / (image.naturalWidth * image.naturalHeight)));
  const canvas = make('canvas', {
    width: Math.max(1, Math.floor(image.naturalWidth * scale)),
    height: Math.max(1, Math.floor(image.naturalHeight * scale)),
  });
  const context = canvas.getContext('2d', { alpha: false });
  context.fillStyle = '#fff'; // what is transparent lies on white, as on the server
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.imageSmoothingQuality = 'high';
  context.drawImage(image, 0, 0, canvas.width, canvas.height);
  const blob = await new Promise((resolve) => canvas.toBlob(resolve, 'image/jpeg', QUALITY));
  return new File([blob], `${file.name.replace(/\.\w+$/, '')}.jpg`, { type: blob.type });
}

const decoded = (file) => new Promise((resolve, reject) => {
  const image = new Image();
  showPicture(image, file, reject);
  image.addEventListener('load', () => resolve(image));
});
