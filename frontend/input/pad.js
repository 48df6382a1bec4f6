// The drawing pad: a pointer or the keyboard moves the pen, and shortly after it is lifted the drawing is sent.

import { announce } from '../lib/dom.js';
import { words } from '../lib/words.js';

const SETTLE = 450; // milliseconds after the pen is lifted: enough to begin the second stroke of a 7
const STEP = 1 / 28; // of the side, per key press
const MOVES = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const INK = '#10161a';
const PAPER = '#ffffff';
const PEN_WIDTH = 0.075; // as a share of the side: about a felt pen's line in a digit

const element = (id) => document.getElementById(id);

/** @param {{onDrawing: (file: File) => void, onBlank: () => void}} handlers */
export function bindPad({ onDrawing, onBlank }) {
  const canvas = element('pad');
  const ink = createInk(canvas);
  let timer;

  function changed() {
    clearTimeout(timer);
    const blank = ink.isBlank();
    element('pad-invitation').hidden = !blank;
    element('pad-undo').disabled = element('pad-clear').disabled = blank;
  }

  const pen = {
    down(point) {
      ink.begin(point);
      changed();
    },
    move: ink.extend,
    up() {
      clearTimeout(timer);
      timer = setTimeout(send, SETTLE);
    },
  };

  async function send() {
    const blob = await ink.picture();
    if (!ink.isBlank()) onDrawing(new File([blob], 'drawing.png', { type: blob.type }));
  }

  function erase(eraser, announcement) {
    if (ink.isBlank()) return;
    eraser();
    changed();
    announce(announcement);
    if (ink.isBlank()) {
      canvas.focus({ preventScroll: true }); // the button that had it is disabled now
      onBlank();
    } else {
      pen.up();
    }
  }

  const undo = () => erase(ink.undo, words.undone);
  const clear = () => erase(ink.clear, words.cleared);
  element('pad-undo').addEventListener('click', undo);
  element('pad-clear').addEventListener('click', clear);
  bindPointer(canvas, pen);
  bindKeys(canvas, element('pad-cursor'), pen, { undo, clear });
}

function bindPointer(canvas, pen) {
  let drawing = null; // the id of the one pointer that draws

  const point = ({ clientX, clientY }) => {
    const box = canvas.getBoundingClientRect();
    return [((clientX - box.left) / box.width) * canvas.width, ((clientY - box.top) / box.height) * canvas.height];
  };
  const lift = (event) => {
    if (event.pointerId !== drawing) return;
    drawing = null;
    pen.up();
  };

  canvas.addEventListener('pointerdown', (event) => {
    if (drawing !== null || event.button !== 0) return;
    drawing = event.pointerId;
    canvas.setPointerCapture(drawing);
    pen.down(point(event));
  });
  canvas.addEventListener('pointermove', (event) => {
    if (event.pointerId !== drawing) return;
    const coalesced = event.getCoalescedEvents?.() ?? [];
    pen.move(...(coalesced.length ? coalesced : [event]).map(point));
  });
  canvas.addEventListener('pointerup', lift);
  canvas.addEventListener('pointercancel', lift);
}

/**
 * Drawing by keyboard: arrows move a visible pen, Space or Enter puts it down and lifts it.
 * @param {HTMLCanvasElement} canvas
 * @param {HTMLElement} cursor the ring that shows where the pen is
 * @param {{down: Function, move: Function, up: Function}} pen
 * @param {{undo: () => void, clear: () => void}} erasers
 */
function bindKeys(canvas, cursor, pen, { undo, clear }) {
  let at = [0.5, 0.25];
  let isDown = false;

  const point = () => [at[0] * canvas.width, at[1] * canvas.height];

  function show() {
    cursor.hidden = !canvas.matches(':focus-visible');
    cursor.style.left = `${at[0] * 100}%`;
    cursor.style.top = `${at[1] * 100}%`;
    cursor.classList.toggle('down', isDown);
  }

  function lift() {
    if (!isDown) return;
    isDown = false;
    pen.up();
  }

  function toggle() {
    if (isDown) lift();
    else {
      isDown = true;
      pen.down(point());
    }
    announce(isDown ? words.penDown : words.penUp);
  }

  function move([right, down]) {
    const within = (share) => Math.min(1, Math.max(0, share));
    at = [within(at[0] + right * STEP), within(at[1] + down * STEP)];
    if (isDown) pen.move(point());
  }

  const erase = (eraser) => () => {
    lift();
    eraser();
  };
  const actions = { ' ': toggle, Enter: toggle, Backspace: erase(undo), Delete: erase(clear) };

  canvas.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const action = actions[event.key] ?? (MOVES[event.key] && (() => move(MOVES[event.key])));
    if (!action) return;
    event.preventDefault();
    action();
    show();
  });
  canvas.addEventListener('focus', show);
  canvas.addEventListener('blur', () => {
    lift();
    show();
  });
  canvas.addEventListener('pointerdown', () => {
    isDown = false; // the pointer has the pen now
    cursor.hidden = true;
  });
}

/**
 * The drawing: strokes of dark ink on white, redrawn from their points so that each can be undone.
 * @param {HTMLCanvasElement} canvas square; points are [x, y] in canvas pixels
 */
function createInk(canvas) {
  const context = canvas.getContext('2d');
  const strokes = [];

  function redraw() {
    context.fillStyle = PAPER;
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.lineCap = context.lineJoin = 'round';
    context.lineWidth = canvas.width * PEN_WIDTH;
    context.strokeStyle = INK;
    for (const stroke of strokes) context.stroke(smooth(stroke));
  }

  redraw();
  return {
    isBlank: () => strokes.length === 0,
    begin(point) {
      strokes.push([point]);
      redraw();
    },
    extend(...points) {
      strokes.at(-1).push(...points);
      redraw();
    },
    undo() {
      strokes.pop();
      redraw();
    },
    clear() {
      strokes.length = 0;
      redraw();
    },
    /** @returns {Promise<Blob>} a PNG */
    picture: () => new Promise((resolve) => canvas.toBlob(resolve, 'image/png')),
  };
}

/** Curves through the midpoints of the points, so that a quick hand still makes round lines; one point is a dot. */
function smooth(points) {
  const path = new Path2D();
  const [first] = points;
  path.moveTo(...first);
  points.slice(1).forEach((point, i) => {
    const before = points[i];
    path.quadraticCurveTo(...before, (before[0] + point[0]) / 2, (before[1] + point[1]) / 2);
  });
  path.lineTo(...points.at(-1));
  return path;
}
