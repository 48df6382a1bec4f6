// The drawing pad: a pointer or the keyboard moves the pen, and shortly after it is lifted the drawing is handed on.

import { announce } from './announce.js';
import { createInk } from './ink.js';
import { bindPadKeys } from './pad-keys.js';
import { words } from './words.js';

const SETTLE = 450; // milliseconds after the pen is lifted: time to begin the bar of a 7 without being interrupted

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
      timer = setTimeout(handOver, SETTLE);
    },
  };

  async function handOver() {
    const blob = await ink.picture();
    if (!ink.isBlank()) onDrawing(new File([blob], 'drawing.png', { type: blob.type }));
  }

  function erase(eraser, said) {
    if (ink.isBlank()) return;
    eraser();
    changed();
    announce(said);
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
  bindPadKeys(canvas, element('pad-cursor'), pen, { undo, clear });
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
