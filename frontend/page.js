/*
 * The page's composition root: which parts there are and how an input travels through them.
 *
 *   file picker, drop, paste, camera, pad, text, numbers, examples ─▶ journey (lane, upload, retry) ─▶ card ─▶ results
 *
 * Stable names for tests:
 *   #loading #loading-stage #loading-progress      while `readyz` answers 503
 *   #workspace                                     visible once the models are known
 *   #model-picker (several) #version-picker #model-name (one) #model-engine #model-facts #failed-models #failed-list
 *   #tab-picture #tab-draw                         tabs of #picture-panel and #draw-panel
 *   #file-input #drop-zone #drop-veil              pictures; paste and drop work anywhere
 *   #camera-open #camera #camera-video #camera-message #camera-capture #camera-switch #camera-close #camera-input
 *   #pad #pad-undo #pad-clear #pad-hint            the drawing pad; the hint gives way to the answer
 *   #text-panel #text-input   #tensor-panel #tensor-input #tensor-error   #no-model
 *   #examples [data-testid=example]                what comes with the model
 *   #results[data-view=list|gallery] #results-empty #results-clear #announcer #connection #language-switch
 *   #results-tools: #view-list #view-gallery #results-filter #results-order #results-count #take-csv #take-json
 *   [data-testid=result][data-state=busy|waiting|done|error], and inside it:
 *     [data-testid=status|answer|top-answer|prediction|statistics|timing|copy-json|open]
 *     [data-testid=error|retry|shrink|cancel|remove]; .prediction-label .prediction-number .error-sentence .error-meta
 *     [data-testid=actions]: why, correct, forget, compare; what they open is in [data-testid=extra]:
 *     why-label why-status why-error why-view why-map why-strength why-told why-words
 *     correct-form correct-label consent correct-send correct-status correct-delete
 *     forget-send forget-status compare-with compare-status compare-view compared compare-verdict
 *   #code-panel #code-tabs #tab-curl #tab-javascript #tab-python; code in #code-curl …; [data-testid=copy]
 *   #key-dialog #key-input #key-cancel             after a 401
 */

import { bindCamera } from './camera.js';
import { createCode } from './code.js';
import { bindConnection } from './connection.js';
import { createExamples } from './examples.js';
import { Failure } from './failure.js';
import { createJourney } from './journey.js';
import { createKey } from './key.js';
import { bindLanguage } from './language.js';
import { localise } from './localise.js';
import { createModels } from './models.js';
import { bindPad } from './pad.js';
import { whenReady } from './ready.js';
import { createResults } from './results.js';
import { bindSources } from './sources.js';
import { createStage, takesPictures } from './stage.js';
import { bindTensor } from './tensor.js';
import { bindText } from './text.js';
import { words } from './words.js';

localise();
bindConnection();

const server = {}; // what the answers' actions need: key, catalog, models
const results = createResults(() => server);
const stage = createStage();
const examples = createExamples((input) => give({ ...input }));
const key = createKey(() => opened.then((models) => code.show(models.current())));
const code = createCode(key);
const { travel, smaller } = createJourney({ key });

const opened = whenReady().then((catalog) => {
  document.getElementById('workspace').hidden = false;
  document.getElementById('kept-note').textContent =
    catalog.keep_uploads === 'all' ? words.keptAll(Math.ceil(catalog.uploads_max_age_days)) : '';
  const models = createModels(catalog, (model) => {
    stage.show(model);
    examples.show(model);
    code.show(model);
  });
  return Object.assign(server, { key, catalog, models }).models;
});

/** Sends an input to the chosen model, on a card of its own or on one that is there already. */
async function give(input, card = results.reveal(results.add(input))) {
  return travel(card, input, (await opened).current());
}

/** A picture from outside: refused here when sending it would be in vain. */
async function givePicture(file, refused) {
  const model = (await opened).current();
  const objection = takesPictures(model)
    ? refused
    : new Failure(words.modelWantsNoPicture(model?.name), { code: 'no_pictures' });
  if (objection) refuse({ file }, objection, model);
  else give({ file });
}

/** A card for what is not sent; what is only too large may be sent smaller. */
function refuse(input, objection, model) {
  const card = results.add(input);
  card.failed(objection, { smaller: smaller(card, input, model) });
}

let drawingCard = null; // one card follows the drawing until the pad is blank again
const padHint = document.getElementById('pad-hint');
const invitation = padHint.textContent;

/** The answer beside the pad too: on a phone its card is out of sight while one draws. */
function tellDrawing() {
  const { told } = drawingCard?.outcome ?? {};
  padHint.textContent = told ?? invitation;
  padHint.classList.toggle('told', Boolean(told));
}

bindLanguage(() => results.isEmpty() || confirm(words.switchLoses));
bindSources({ onFile: givePicture, onSeveral: results.several });
bindCamera((file) => give({ file, title: words.cameraPicture }));
bindText((text) => give({ text, title: words.yourText }));
bindTensor((instance) => give({ instance, title: words.yourNumbers }));
bindPad({
  onDrawing(file) {
    const input = { file, title: words.drawing };
    if (results.has(drawingCard)) drawingCard.show(input);
    else drawingCard = results.add(input);
    give(input, drawingCard).then(tellDrawing);
  },
  onBlank() {
    drawingCard = null;
    tellDrawing();
  },
});
