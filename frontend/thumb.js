// A picture as the browser shows it; its URL is given back as soon as it has been read.

/** @param {HTMLImageElement} image @param {File} file @param {() => void} [onUnreadable] */
export function showPicture(image, file, onUnreadable = () => {}) {
  const url = URL.createObjectURL(file);
  image.onload = () => {
    image.hidden = false;
    URL.revokeObjectURL(url);
  };
  image.onerror = () => {
    image.hidden = true;
    URL.revokeObjectURL(url);
    onUnreadable();
  };
  image.src = url;
}
