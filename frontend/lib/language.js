// The page's language: the person's choice, else the first of the browser's languages that the page has.

const STORED = 'facenality-language';
const NAMES = { en: 'English', de: 'Deutsch' };

export const language = chosen() ?? preferred();
document.documentElement.lang = language;

function chosen() {
  try {
    const stored = localStorage.getItem(STORED);
    return stored in NAMES ? stored : null;
  } catch {
    return null; // storage is not allowed
  }
}

function preferred() {
  return navigator.languages.map((tag) => tag.slice(0, 2)).find((tag) => tag in NAMES) ?? 'en';
}

/** The button that names the other language, in that language. @param {() => boolean} mayReload whether the page may reload, which the switch needs */
export function bindLanguage(mayReload) {
  const other = Object.keys(NAMES).find((one) => one !== language);
  const button = document.getElementById('language-switch');
  button.textContent = NAMES[other];
  button.lang = other;
  button.addEventListener('click', () => {
    if (!mayReload()) return;
    localStorage.setItem(STORED, other);
    location.reload();
  });
}
