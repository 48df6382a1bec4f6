// The drawing itself: strokes of dark ink on white, redrawn from their points so that each can be undone.

const INK = '#10161a';
const PAPER = '#ffffff';
export const PEN = 0.075; // width of the pen as a share of the side: about what a felt pen makes of a digit

/** @param {HTMLCanvasElement} canvas square; points are [x, y] in canvas pixels */
export function createInk(canvas) {
  const context = canvas.getContext('2d');
  const strokes = [];

  function redraw() {
    context.fillStyle = PAPER;
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.lineCap = context.lineJoin = 'round';
    context.lineWidth = canvas.width * PEN;
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
