// A picture from the camera, in a dialog; a clear sentence where there is no camera or no permission.

import { words } from '../lib/words.js';

const element = (id) => document.getElementById(id);
const REASONS = {
  NotAllowedError: words.cameraRefused,
  SecurityError: words.cameraRefused,
  NotFoundError: words.cameraMissing,
  OverconstrainedError: words.cameraMissing,
};

/** @param {(file: File) => void} onPicture */
export function bindCamera(onPicture) {
  const dialog = element('camera');
  const video = element('camera-video');
  const capture = element('camera-capture');
  let stream = null;
  let facing = 'user';

  const showMessage = (sentence) => { element('camera-message').textContent = sentence; };

  function stop() {
    stream?.getTracks().forEach((track) => track.stop());
    stream = null;
    video.srcObject = null;
    capture.disabled = true;
  }

  async function start() {
    stop();
    showMessage(words.cameraStarting);
    if (!navigator.mediaDevices?.getUserMedia) return showMessage(words.cameraInsecure);
    try {
      const opened = await navigator.mediaDevices.getUserMedia({ video: { facingMode: facing, width: { ideal: 1280 } } });
      if (!dialog.open) return opened.getTracks().forEach((track) => track.stop());
      stream = opened;
      video.srcObject = stream;
      video.classList.toggle('mirrored', facing === 'user');
      await video.play();
    } catch (error) {
      return showMessage(REASONS[error.name] ?? words.cameraBusy);
    }
    showMessage('');
    capture.disabled = false;
    capture.focus();
    const devices = await navigator.mediaDevices.enumerateDevices();
    element('camera-switch').hidden = devices.filter(({ kind }) => kind === 'videoinput').length < 2;
  }

  // Without HTTPS a page may not use the camera, but a phone's own camera app can still take the picture.
  const cameraApp = element('camera-input');
  const usesCameraApp = !navigator.mediaDevices && matchMedia('(pointer: coarse)').matches;
  cameraApp.addEventListener('change', () => {
    if (cameraApp.files.length > 0) onPicture(cameraApp.files[0]);
    cameraApp.value = '';
  });

  element('camera-open').addEventListener('click', () => {
    if (usesCameraApp) return cameraApp.click();
    dialog.showModal();
    return start();
  });
  element('camera-close').addEventListener('click', () => dialog.close());
  element('camera-switch').addEventListener('click', () => {
    facing = facing === 'user' ? 'environment' : 'user';
    start();
  });
  capture.addEventListener('click', async () => {
    const picture = await currentFrame(video);
    dialog.close();
    onPicture(picture);
  });
  dialog.addEventListener('close', stop);
}

/** The video's current frame as a JPEG file, not mirrored. */
async function currentFrame(video) {
  const canvas = document.createElement('canvas');
  canvas.width = video.videoWidth;
  canvas.height = video.videoHeight;
  canvas.getContext('2d').drawImage(video, 0, 0);
  const blob = await new Promise((resolve) => canvas.toBlob(resolve, 'image/jpeg', 0.92));
  return new File([blob], 'camera.jpg', { type: blob.type });
}
