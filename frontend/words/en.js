// The scripts' texts in English. The texts of index.html are in the file itself.

import { bytes, milliseconds, number } from '../lib/format.js';

const many = (n, one, more) => (n === 1 ? `1 ${one}` : `${number(n)} ${more}`);

export const words = {
  page: null,
  errors: {}, // translations by error code; the server's own sentences are English already

  // the server as a whole
  keepsTrying: 'The server cannot be reached. Check the connection; this page keeps trying.',
  loadingStage: (stage, percentage) => (percentage === null ? `${stage}…` : `${stage}, ${percentage}%`),
  titleLoading: 'Getting ready',
  titleWaiting: 'Not ready yet',
  titleUnreachable: 'No answer from the server',
  offline: 'You are offline. What you send waits here and is sent when the connection is back.',
  switchLoses: 'To switch the language, the page must reload, and the answers on it will be lost. Continue?',
  outdated: 'The server has been updated. Reload the page to use the new version; the answers on it will be lost.',
  outdatedReloading: 'The server has been updated. Reloading the page…',
  outdatedPart: 'The server has been updated. Reload the page to use this.',
  reload: 'Reload',

  // models
  engine: (model) => [model.engine, model.precision].filter(Boolean).join(' · '),
  version: (version, newest) => (newest ? `version ${version} (newest)` : `version ${version}`),
  modelFailures: (n) => `${many(n, 'model', 'models')} could not be loaded`,
  modelSize: ([height, width, channels]) =>
    `Sees ${width} × ${height} pixels in ${channels === 1 ? 'greyscale' : 'colour'}`,
  modelLabels: (n) => many(n, 'label', 'labels'),
  modelVersion: (version) => `version ${version}`,
  modelTakes: (shape) => `Takes numbers of shape ${shape.map((side) => side ?? 'any').join(' × ')}`,

  // inputs
  drawHere: 'Draw here',
  drawDigit: 'Draw a digit',
  yourText: 'Your text',
  yourNumbers: 'Your numbers',
  inputTitle: 'Input',
  drawing: 'Your drawing',
  penDown: 'Pen down',
  penUp: 'Pen up',
  cleared: 'Pad cleared',
  undone: 'Last line removed',
  hintPicture: 'Show the model a picture, and its answer appears here.',
  hintDraw: 'Draw something or show the model a picture, and its answer appears here.',
  hintText: 'Write something, and its answer appears here.',
  hintTensor: 'Give the model numbers, and its answer appears here.',
  example: (n) => `Example ${n}`,
  notJson: (why) => `This is not valid JSON: ${why}`,
  pasteKey: (mac) => (mac ? '⌘' : 'Ctrl'),
  tooLarge: (name, size, limit) => `${name} is ${bytes(size)}; the largest picture that can be sent is ${bytes(limit)}.`,
  shrinking: 'Making it smaller…',
  cannotShrink: (name) => `This browser cannot read ${name}, so it cannot make it smaller. Save it as a JPEG and try again.`,
  notAPicture: (name, type) => `${name} is not a picture (${type}). Choose a JPEG, PNG, WebP or GIF.`,
  isFolder: (name) => `${name} is a folder. Open it and drop the pictures inside.`,
  modelWantsNoPicture: (model) => `${model} does not take pictures. Choose another model first.`,
  fileTitle: (name, size) => `${name} · ${bytes(size)}`,
  keptAll: (days) => `This server keeps the pictures that you send, without their metadata, for at most ${many(days, 'day', 'days')}.`,

  // camera
  cameraStarting: 'Starting the camera…',
  cameraInsecure: 'Browsers allow the camera only over HTTPS or on localhost. Choose a picture instead.',
  cameraRefused:
    'This page may not use the camera. Allow it next to the address bar, or choose a picture instead.',
  cameraMissing: 'No camera was found. Connect one, or choose a picture instead.',
  cameraBusy: 'The camera does not start. Another program may be using it: close that program, or choose a picture instead.',
  cameraPicture: 'Camera picture',

  // one card
  uploading: (percentage) => `Uploading, ${percentage}%`,
  uploadLabel: (name) => `Sending ${name}`,
  predicting: 'The model is looking…',
  queued: 'Waiting for earlier inputs…',
  retryIn: (sentence, seconds) => `${sentence} Trying again in ${seconds} s.`,
  cancelled: 'Cancelled.',
  remove: (name) => `Remove ${name}`,
  cancel: (name) => `Cancel ${name}`,
  openCard: (name) => `Open ${name}`,
  unreachable: 'The server cannot be reached. Check the connection and try again.',
  oddReply: 'The server sent a reply that this page does not understand. Try again, or look at the server’s log.',
  refused: {
    413: 'The server refused the picture because it is too large.',
    429: 'Too many requests at once. Wait a moment and try again.',
    502: 'The proxy got no answer from the model server. Try again in a moment.',
    503: 'The server is not ready. Try again in a moment.',
    504: 'The answer took too long. Try again in a moment.',
  },
  httpStatus: (status) => `HTTP ${status}`,
  errorId: (id) => `id ${id}`,
  announcement: (name, answer) => `${name}: ${answer}`,

  // answers of every kind
  noneAbove: (threshold) => `None above ${number(threshold * 100)}%`,
  threshold: (threshold) => `The line marks ${number(threshold * 100)}%: labels beyond it count as true. Each label is judged separately.`,
  place: 'Position',
  value: 'Value',
  numbersOf: (name, shape) => `${name ? `${name}, ` : ''}shape ${shape.join(' × ') || 'one number'}`,
  statistics: { count: 'Numbers', least: 'Minimum', most: 'Maximum', mean: 'Mean', deviation: 'Standard deviation' },
  showAll: (n) => `Show all ${number(n)}`,

  // all answers of the visit
  counted: (shown, all) => (shown === all ? many(all, 'answer', 'answers') : `${number(shown)} of ${many(all, 'answer', 'answers')}`),
  anyLabel: 'Any answer',
  failedLabel: 'Failed',
  csv: { input: 'input', model: 'model', version: 'version', error: 'error', id: 'id', label: 'label', number: 'number' },

  // why this answer
  why: {
    explaining: 'Hiding one part after another to see what the answer depends on…',
    of: 'Explained answer',
    strength: 'Strength of the colours',
    against: 'Speaks against it',
    nothing: 'Changes nothing',
    towards: 'Speaks for it',
    scale: (label, share) => `Full colour: hiding that part changes “${label}” by ${share}.`,
    points: (n) => `${n} percentage points`,
    places: [
      ['top left', 'top', 'top right'],
      ['left', 'centre', 'right'],
      ['bottom left', 'bottom', 'bottom right'],
    ],
    strongest: (label, place, change) => `“${label}” depends most on the ${place} of the picture: without that part it falls by ${change}.`,
    nothingMatters: (label) => `No single part decides “${label}”: hiding any one of them changes almost nothing.`,
    picture: (label) => `The picture with the parts that speak for and against ${label}`,
    wordsRest: (label, word, change) => `“${label}” depends most on “${word}”: without that word it falls by ${change}.`,
    wordNote: 'The number says by how many percentage points the answer changes without the word. A solid line and + speak for the answer, a dashed line and − against it.',
    again: 'Try again',
  },

  // correcting an answer
  correct: {
    question: 'What should the answer have been?',
    choose: 'Choose a label',
    consent: (kind, days) =>
      `${kind === 'text' ? 'The text' : 'The picture, without its metadata,'} and your correction are stored on this server, ` +
      `for at most ${many(days, 'day', 'days')}, so that the model can learn from them. Nobody can view them from outside, ` +
      'and you can delete them again here.',
    send: 'Send and store',
    dismiss: 'Cancel',
    sending: 'Sending…',
    thanks: (label) => `Thank you. It is stored as “${label}”.`,
    remove: 'Delete it again',
    removing: 'Deleting…',
    removed: 'Deleted. The server no longer has it.',
    unknown: (label) => `The model has no label “${label}”. Choose one from the list.`,
  },

  // on a server that keeps every picture
  forget: {
    kept: (days) => `This server keeps the picture, without its metadata, for at most ${many(days, 'day', 'days')}. You can delete it now.`,
    remove: 'Delete it now',
    removing: 'Deleting…',
    removed: 'Deleted. The server no longer has it.',
  },

  // two models on one input
  compare: {
    with: 'Compare with',
    asking: 'Asking the other model…',
    agree: (label) => `Both say “${label}”.`,
    differ: (one, other) => `They differ: “${one}” and “${other}”.`,
    largest: (label, change) => `The largest difference is in “${label}”: ${change}.`,
    label: 'Label',
    missing: 'not in the top labels',
    same: 'Both give the same numbers.',
  },

  // where the time went
  parts: { decode: 'decode', queue: 'queue', predict: 'predict', rest: 'network and upload' },
  timingNumber: (ms, note) => [milliseconds(ms), note && `(${note})`].filter(Boolean).join(' '),

  // code
  copied: 'Copied',
  copyByHand: 'Selected: press Ctrl+C',
};
