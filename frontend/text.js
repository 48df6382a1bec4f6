// The text box for models that read: Ctrl+Enter sends, as does the button.

/** @param {(text: string) => void} onText */
export function bindText(onText) {
  const form = document.getElementById('text-panel');
  const input = document.getElementById('text-input');

  form.addEventListener('submit', (event) => {
    event.preventDefault();
    if (input.value.trim()) onText(input.value.trim());
  });
  input.addEventListener('keydown', (event) => {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) form.requestSubmit();
  });
}
