// Drawing by keyboard: arrows move a visible pen, Space or Enter puts it down and lifts it.

import { announce } from './announce.js';
import { words } from './words.js';

const STEP = 1 / 28; // of the side, per key press
const MOVES = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/**
 * @param {HTMLCanvasElement} canvas
 * @param {HTMLElement} cursor the ring that shows where the pen is
 * @param {{down: Function, move: Function, up: Function}} pen
 * @param {{undo: () => void, clear: () => void}} erasers
 */
export function bindPadKeys(canvas, cursor, pen, { undo, clear }) {
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
