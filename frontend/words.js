// Every sentence the scripts say, in one place: translate this file and index.html and the page speaks another language.

import { bytes, milliseconds, number } from './numbers.js';

export const words = {
  // the server as a whole
  unreachable: 'The server cannot be reached. Check the connection; the page keeps trying.',
  loadingStage: (stage, percent) => (percent === null ? `${stage}…` : `${stage}, ${percent}%`),
  titleLoading: 'Getting ready',
  titleWaiting: 'Not ready yet',
  titleUnreachable: 'No answer from the server',

  // models
  engine: (model) => [model.engine, model.precision].filter(Boolean).join(' · '),
  noModel: 'No model is being served',
  noModelHint: 'Put one into the models folder; the reasons of those that failed are below.',
  noPictures: 'This model takes no pictures',
  noPicturesHint: 'It takes numbers as JSON: the snippets below show how to call it.',
  modelFailures: (n) => (n === 1 ? '1 model could not be loaded' : `${n} models could not be loaded`),
  modelSize: ([height, width, channels]) =>
    `Sees ${width} × ${height} pixels in ${channels === 1 ? 'grey' : 'colour'}`,
  modelLabels: (n) => (n === 1 ? '1 label' : `${number(n)} labels`),
  modelVersion: (version) => `version ${version}`,
  modelTakes: (shape) => `Takes numbers of shape ${shape.join(' × ')}`,

  // inputs
  drawHere: 'Draw here',
  drawDigit: 'Draw a digit',
  yourText: 'Your text',
  noInput: 'Input',
  drawing: 'Your drawing',
  penDown: 'Pen down',
  penUp: 'Pen up',
  cleared: 'Pad cleared',
  undone: 'Last line removed',
  hintPicture: 'Show the model a picture and its answer appears here.',
  hintDraw: 'Draw something, or show the model a picture: its answer appears here.',
  hintText: 'Write something and its answer appears here.',
  hintTensor: 'This model answers programs, not this page.',
  pasteKey: (mac) => (mac ? '⌘' : 'Ctrl'),
  tooLarge: (name, size, limit) =>
    `${name} is ${bytes(size)}; the largest picture this page sends is ${bytes(limit)}. Make it smaller and try again.`,
  notAPicture: (name, type) => `${name} is not a picture (${type}). Choose a JPEG, PNG, WebP or GIF.`,
  isFolder: (name) => `${name} is a folder. Open it and drop the pictures inside.`,
  modelWantsNoPicture: (model) => `${model} takes no pictures. Choose another model first.`,
  fileTitle: (name, size) => `${name} · ${bytes(size)}`,

  // camera
  cameraStarting: 'Starting the camera…',
  cameraInsecure: 'The browser gives the camera to pages over HTTPS (or on localhost) only. Choose a picture instead.',
  cameraRefused:
    'The browser has not been allowed to use the camera. Allow it beside the address, or choose a picture instead.',
  cameraMissing: 'No camera was found. Connect one, or choose a picture instead.',
  cameraBusy: 'The camera does not start; another program may be using it. Close that, or choose a picture instead.',
  cameraPicture: 'Camera picture',

  // one card
  uploading: (percent) => `Uploading, ${percent}%`,
  uploadLabel: (name) => `Sending ${name}`,
  predicting: 'The model is looking…',
  queued: 'Waiting for the pictures before it…',
  retryIn: (sentence, seconds) => `${sentence} Trying again in ${seconds} s.`,
  cancelled: 'Cancelled.',
  remove: (name) => `Remove ${name}`,
  cancel: (name) => `Cancel ${name}`,
  lost: 'The server cannot be reached. Check the connection and try again.',
  oddReply: 'The server answered something this page does not understand. Try again, or look at its log.',
  refused: {
    413: 'The server refused the picture because it is too large. Make it smaller and try again.',
    429: 'Too many requests at once. Wait a moment and try again.',
    502: 'The proxy in front got no answer from the model server. Try again in a moment.',
    503: 'The server is not ready. Try again in a moment.',
    504: 'The answer took too long. Try again in a moment.',
  },
  httpStatus: (status) => `HTTP ${status}`,
  errorId: (id) => `id ${id}`,
  said: (name, answer) => `${name}: ${answer}`,

  // where the time went
  parts: { decode: 'decode', queue: 'queue', predict: 'predict', rest: 'network and upload' },
  timingNumber: (ms, note) => [milliseconds(ms), note && `(${note})`].filter(Boolean).join(' '),

  // code
  copied: 'Copied',
  copyByHand: 'Selected: press Ctrl+C',
};
