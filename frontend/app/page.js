/*
 * Puts the page together. An input takes this way:
 *
 *   files, camera, pad, forms, examples (input/) ─▶ send (wait, upload, retry) ─▶ card in the results (answer/) ─▶ actions
 *
 * Imports go down this list of folders: app, actions, answer and input, api, lib.
 *
 * Names that tests rely on:
 *   #loading #loading-stage #loading-progress      while `readyz` answers 503
 *   #workspace                                     visible once the server is ready
 *   #model-picker (several) #version-picker #model-name (one) #model-engine #model-facts #failed-models #failed-list
 *   #tab-picture #tab-draw                         tabs of #picture-panel and #draw-panel
 *   #file-input #drop-zone #drop-veil              pictures; paste and drop work anywhere
 *   #camera-open #camera #camera-video #camera-message #camera-capture #camera-switch #camera-close #camera-input
 *   #pad #pad-undo #pad-clear #pad-hint            the drawing pad; the answer replaces the hint
 *   #text-panel #text-input   #tensor-panel #tensor-input #tensor-error   #no-model
 *   #examples [data-testid=example]                examples that come with the model
 *   #results[data-view=list|gallery] #results-empty #results-clear #announcer #connection #language-switch
 *   #results-tools: #view-list #view-gallery #results-filter #results-order #results-count #take-csv #take-json
 *   [data-testid=result][data-state=busy|waiting|done|error], and inside it:
 *     [data-testid=status|answer|top-answer|prediction|statistics|timing|copy-json|open]
 *     [data-testid=error|retry|shrink|cancel|remove]; .prediction-label .prediction-number .error-sentence .error-meta
 *     [data-testid=actions]: why, correct, forget, compare; their panel is [data-testid=extra]:
 *     why-label why-status why-error why-view why-map why-strength why-told why-words
 *     correct-form correct-label consent correct-send correct-status correct-delete
 *     forget-send forget-status compare-with compare-status compare-view compared compare-verdict
 *   #code-panel #code-tabs #tab-curl #tab-javascript #tab-python; code in #code-curl …; [data-testid=copy]
 *   #key-dialog #key-input #key-cancel             after a 401
 */

import { createActions } from '../actions/actions.js';
import { createResults } from '../answer/results.js';
import { Failure } from '../api/failure.js';
import { createKey } from '../api/key.js';
import { takesPictures } from '../api/model.js';
import { bindCamera } from '../input/camera.js';
import { bindFiles } from '../input/files.js';
import { bindNumberForm, bindTextForm } from '../input/forms.js';
import { bindPad } from '../input/pad.js';
import { createExamples, createPanel } from '../input/panel.js';
import { bindLanguage } from '../lib/language.js';
import { localise, words } from '../lib/words.js';
import { createCodePanel } from './code_panel.js';
import { createModelPicker } from './model_picker.js';
import { createSender } from './send.js';
import { bindConnection, whenReady } from './startup.js';

localise();

const services = {}; // what the actions need: key, catalog, models
const results = createResults((card) => createActions(card, () => services));
const panel = createPanel();
const examples = createExamples((input) => add(input));
const key = createKey(() => opened.then((models) => codePanel.show(models.current())));
const codePanel = createCodePanel(key);
const { send, smallerOf } = createSender({ key });

const opened = whenReady().then((catalog) => {
  document.getElementById('workspace').hidden = false;
  document.getElementById('kept-note').textContent =
    catalog.keep_uploads === 'all' ? words.keptAll(Math.ceil(catalog.uploads_max_age_days)) : '';
  const models = createModelPicker(catalog, (model) => {
    panel.show(model);
    examples.show(model);
    codePanel.show(model);
  });
  return Object.assign(services, { key, catalog, models }).models;
});

/** Sends an input to the chosen model, on a new card or on one that is there already. */
async function add(input, card = results.reveal(results.add(input))) {
  return send(card, input, (await opened).current());
}

/** Adds a file; one that cannot be used gets a card with the reason and is not sent. */
async function addFile(file, refusal) {
  const model = (await opened).current();
  const reason = takesPictures(model)
    ? refusal
    : new Failure(words.modelWantsNoPicture(model?.name), { code: 'no_pictures' });
  if (!reason) return add({ file });
  const card = results.add({ file });
  return card.failed(reason, { sendSmaller: smallerOf(card, { file }, model) });
}

let drawingCard = null; // one card follows the drawing until the pad is blank again
const padHint = document.getElementById('pad-hint');
const invitation = padHint.textContent;

/** Shows the answer beside the pad too: on a phone its card is out of sight while one draws. */
function showDrawingAnswer() {
  const { summary } = drawingCard?.outcome ?? {};
  padHint.textContent = summary ?? invitation;
  padHint.classList.toggle('told', Boolean(summary));
}

bindConnection(results.isEmpty);
bindLanguage(() => results.isEmpty() || confirm(words.switchLoses));
bindFiles({ onFile: addFile, onSeveral: results.expect });
bindCamera((file) => add({ file, title: words.cameraPicture }));
bindTextForm((text) => add({ text, title: words.yourText }));
bindNumberForm((instance) => add({ instance, title: words.yourNumbers }));
bindPad({
  onDrawing(file) {
    const input = { file, title: words.drawing };
    if (results.has(drawingCard)) drawingCard.show(input);
    else drawingCard = results.add(input);
    add(input, drawingCard).then(showDrawingAnswer);
  },
  onBlank() {
    drawingCard = null;
    showDrawingAnswer();
  },
});
