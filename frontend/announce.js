// Says something to people who listen to the page rather than look at it.

export function announce(sentence) {
  document.getElementById('announcer').textContent = sentence;
}
