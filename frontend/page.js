/*
 * The page's composition root: which parts there are and how an input travels through them.
 *
 *   file picker, drop, paste, camera, pad, text ─▶ journey (lane, upload, retry) ─▶ card ─▶ results
 *
 * Stable names for tests:
 *   #loading #loading-stage #loading-progress      while `readyz` answers 503
 *   #workspace                                     visible once the models are known
 *   #model-picker (several) #model-name (one) #model-engine #model-facts #failed-models #failed-list
 *   #tab-picture #tab-draw                         tabs of #picture-panel and #draw-panel
 *   #file-input #drop-zone #drop-veil              pictures; paste and drop work anywhere
 *   #camera-open #camera #camera-video #camera-message #camera-capture #camera-switch #camera-close
 *   #pad #pad-undo #pad-clear                      the drawing pad
 *   #text-panel #text-input   #tensor-panel        for models that take no pictures
 *   #results #results-empty #results-clear #announcer
 *   [data-testid=result][data-state=busy|waiting|done|error], and inside it:
 *     [data-testid=status|answer|top-answer|prediction|timing|copy-json]
 *     [data-testid=error|retry|cancel|remove]; .prediction-label .prediction-number .error-sentence .error-meta
 *   #code-panel #code-tabs #tab-curl #tab-javascript #tab-python; code in #code-curl …; [data-testid=copy]
 *   #key-dialog #key-input #key-cancel             after a 401
 */

import { bindCamera } from './camera.js';
import { createCode } from './code.js';
import { Failure } from './failure.js';
import { createJourney } from './journey.js';
import { createKey } from './key.js';
import { createModels } from './models.js';
import { bindPad } from './pad.js';
import { whenReady } from './ready.js';
import { createResults } from './results.js';
import { bindSources } from './sources.js';
import { createStage, takesPictures } from './stage.js';
import { bindText } from './text.js';
import { words } from './words.js';

const results = createResults();
const stage = createStage();
const key = createKey(() => opened.then((models) => code.show(models.current())));
const code = createCode(key);
const travel = createJourney({ key });

const opened = whenReady().then((catalog) => {
  document.getElementById('workspace').hidden = false;
  return createModels(catalog, (model) => {
    stage.show(model);
    code.show(model);
  });
});

/** Sends an input to the chosen model, on a card of its own or on one that is there already. */
async function give(input, card = results.reveal(results.add(input))) {
  return travel(card, input, (await opened).current()?.name);
}

/** A picture from outside: refused here when sending it would be in vain. */
async function givePicture(file, refused) {
  const model = (await opened).current();
  const objection = takesPictures(model)
    ? refused
    : new Failure(words.modelWantsNoPicture(model?.name), { code: 'no_pictures' });
  if (objection) results.add({ file }).failed(objection);
  else give({ file });
}

let drawingCard = null; // one card follows the drawing until the pad is blank again

bindSources({ onFile: givePicture });
bindCamera((file) => give({ file, title: words.cameraPicture }));
bindText((text) => give({ text, title: words.yourText }));
bindPad({
  onDrawing(file) {
    const input = { file, title: words.drawing };
    if (results.has(drawingCard)) drawingCard.show(input);
    else drawingCard = results.add(input);
    give(input, drawingCard);
  },
  onBlank() {
    drawingCard = null;
  },
});
