// Every sentence that the scripts say, in English; what stands in index.html itself is English already.

import { bytes, milliseconds, number } from '../numbers.js';

const many = (n, one, more) => (n === 1 ? `1 ${one}` : `${number(n)} ${more}`);

export const words = {
  page: null,
  errors: {}, // by code: the server's own sentences are English

  // the server as a whole
  unreachable: 'The server cannot be reached. Check the connection; the page keeps trying.',
  loadingStage: (stage, percentage) => (percentage === null ? `${stage}…` : `${stage}, ${percentage}%`),
  titleLoading: 'Getting ready',
  titleWaiting: 'Not ready yet',
  titleUnreachable: 'No answer from the server',
  offline: 'You are offline. What you send is kept here and goes out when the connection is back.',
  switchLoses: 'The page loads anew in the other language, and this visit’s answers are gone. Go on?',

  // models
  engine: (model) => [model.engine, model.precision].filter(Boolean).join(' · '),
  version: (version, newest) => (newest ? `version ${version}, newest` : `version ${version}`),
  modelFailures: (n) => `${many(n, 'model', 'models')} could not be loaded`,
  modelSize: ([height, width, channels]) =>
    `Sees ${width} × ${height} pixels in ${channels === 1 ? 'grey' : 'colour'}`,
  modelLabels: (n) => many(n, 'label', 'labels'),
  modelVersion: (version) => `version ${version}`,
  modelTakes: (shape) => `Takes numbers of shape ${shape.map((side) => side ?? 'any').join(' × ')}`,

  // inputs
  drawHere: 'Draw here',
  drawDigit: 'Draw a digit',
  yourText: 'Your text',
  yourNumbers: 'Your numbers',
  noInput: 'Input',
  drawing: 'Your drawing',
  penDown: 'Pen down',
  penUp: 'Pen up',
  cleared: 'Pad cleared',
  undone: 'Last line removed',
  hintPicture: 'Show the model a picture and its answer appears here.',
  hintDraw: 'Draw something, or show the model a picture: its answer appears here.',
  hintText: 'Write something and its answer appears here.',
  hintTensor: 'Give the model numbers and its answer appears here.',
  example: (n) => `Example ${n}`,
  notJson: (why) => `This is not JSON yet: ${why}`,
  pasteKey: (mac) => (mac ? '⌘' : 'Ctrl'),
  tooLarge: (name, size, limit) => `${name} is ${bytes(size)}; the largest picture that can be sent is ${bytes(limit)}.`,
  shrinking: 'Making it smaller…',
  cannotShrink: (name) => `This browser cannot read ${name}, so it cannot make it smaller either. Save it as a JPEG and try that.`,
  notAPicture: (name, type) => `${name} is not a picture (${type}). Choose a JPEG, PNG, WebP or GIF.`,
  isFolder: (name) => `${name} is a folder. Open it and drop the pictures inside.`,
  modelWantsNoPicture: (model) => `${model} takes no pictures. Choose another model first.`,
  fileTitle: (name, size) => `${name} · ${bytes(size)}`,
  keptAll: (days) => `This server keeps the pictures it answers, for ${many(days, 'day', 'days')} at most, without their metadata.`,

  // camera
  cameraStarting: 'Starting the camera…',
  cameraInsecure: 'The browser gives the camera to pages over HTTPS (or on localhost) only. Choose a picture instead.',
  cameraRefused:
    'The browser has not been allowed to use the camera. Allow it beside the address, or choose a picture instead.',
  cameraMissing: 'No camera was found. Connect one, or choose a picture instead.',
  cameraBusy: 'The camera does not start; another program may be using it. Close that, or choose a picture instead.',
  cameraPicture: 'Camera picture',

  // one card
  uploading: (percentage) => `Uploading, ${percentage}%`,
  uploadLabel: (name) => `Sending ${name}`,
  predicting: 'The model is looking…',
  queued: 'Waiting for those before it…',
  retryIn: (sentence, seconds) => `${sentence} Trying again in ${seconds} s.`,
  cancelled: 'Cancelled.',
  remove: (name) => `Remove ${name}`,
  cancel: (name) => `Cancel ${name}`,
  openCard: (name) => `Open ${name}`,
  lost: 'The server cannot be reached. Check the connection and try again.',
  oddReply: 'The server answered something this page does not understand. Try again, or look at its log.',
  refused: {
    413: 'The server refused the picture because it is too large.',
    429: 'Too many requests at once. Wait a moment and try again.',
    502: 'The proxy in front got no answer from the model server. Try again in a moment.',
    503: 'The server is not ready. Try again in a moment.',
    504: 'The answer took too long. Try again in a moment.',
  },
  httpStatus: (status) => `HTTP ${status}`,
  errorId: (id) => `id ${id}`,
  said: (name, answer) => `${name}: ${answer}`,

  // answers of every kind
  noneAbove: (threshold) => `None above ${number(threshold * 100)}%`,
  threshold: (threshold) => `The line marks ${number(threshold * 100)}%: a label beyond it counts as given. Each is judged on its own.`,
  place: 'Place',
  value: 'Value',
  numbersOf: (name, shape) => `${name ? `${name}, ` : ''}shape ${shape.join(' × ') || 'one number'}`,
  statistics: { count: 'Numbers', least: 'Least', most: 'Greatest', mean: 'Mean', deviation: 'Deviation' },
  showAll: (n) => `Show all ${number(n)}`,

  // all answers of the visit
  counted: (shown, all) => (shown === all ? many(all, 'answer', 'answers') : `${number(shown)} of ${many(all, 'answer', 'answers')}`),
  anyLabel: 'Any answer',
  failedLabel: 'Not answered',
  csv: { input: 'input', model: 'model', version: 'version', error: 'error', id: 'id', label: 'label', number: 'number' },

  // why this answer
  why: {
    asking: 'Hiding one part after another to see what the answer rests on…',
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
    strongest: (label, place, change) => `“${label}” rests most on the ${place} of the picture: without that part it falls by ${change}.`,
    nothingMatters: (label) => `No single part carries “${label}”: hiding any one changes next to nothing.`,
    picture: (label) => `The picture with the parts that speak for and against ${label}`,
    wordsRest: (label, word, change) => `“${label}” rests most on “${word}”: without it the answer falls by ${change}.`,
    wordNote: 'By how many percentage points the answer falls without the word. Solid line and +: speaks for it; dashed and −: against it.',
    again: 'Try again',
  },

  // what was wrong
  correct: {
    question: 'What should the answer have been?',
    choose: 'Choose a label',
    consent: (kind, days) =>
      `${kind === 'text' ? 'The text' : 'The picture, without its metadata,'} and your correction are stored on this server, ` +
      `for ${many(days, 'day', 'days')} at most, so that the model can learn from them. Nobody can open them from outside, ` +
      'and you can delete them again here.',
    send: 'Store and send',
    dismiss: 'Leave it',
    sending: 'Sending…',
    thanks: (label) => `Thank you. It is kept as “${label}”.`,
    remove: 'Delete it again',
    removing: 'Deleting…',
    removed: 'Deleted. Nothing of it is kept.',
    unknown: (label) => `The model has no label “${label}”. Choose one of the list.`,
  },

  // on a server that keeps all
  forget: {
    kept: (days) => `This server keeps the picture for ${many(days, 'day', 'days')} at most, without its metadata. You can delete it now.`,
    remove: 'Delete it now',
    removing: 'Deleting…',
    removed: 'Deleted. Nothing of it is kept.',
  },

  // two models on one input
  compare: {
    with: 'Compare with',
    asking: 'Asking the other model…',
    agree: (label) => `Both say “${label}”.`,
    differ: (one, other) => `They differ: “${one}” and “${other}”.`,
    largest: (label, change) => `The largest difference is at “${label}”: ${change}.`,
    label: 'Label',
    missing: 'not among the best',
    same: 'Both give the same numbers.',
  },

  // where the time went
  parts: { decode: 'decode', queue: 'queue', predict: 'predict', rest: 'network and upload' },
  timingNumber: (ms, note) => [milliseconds(ms), note && `(${note})`].filter(Boolean).join(' '),

  // code
  copied: 'Copied',
  copyByHand: 'Selected: press Ctrl+C',
};
