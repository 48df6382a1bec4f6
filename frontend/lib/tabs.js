// Tabs as the ARIA practices describe them: one tab stop, arrow keys, Home and End.

const STEPS = { ArrowRight: 1, ArrowLeft: -1 };

/**
 * @param {HTMLElement} list the element with role="tablist"; each tab names its panel in aria-controls
 * @returns {{select: (tab: HTMLElement) => void, show: (shown: boolean) => void}}
 */
export function createTabs(list) {
  const tabs = [...list.querySelectorAll('[role="tab"]')];
  const panel = (tab) => document.getElementById(tab.getAttribute('aria-controls'));

  function select(chosen) {
    for (const tab of tabs) {
      tab.setAttribute('aria-selected', tab === chosen);
      tab.tabIndex = tab === chosen ? 0 : -1;
      panel(tab).hidden = tab !== chosen;
    }
  }

  /** Hides or shows the list with all its panels. */
  function show(shown) {
    list.hidden = !shown;
    for (const tab of tabs) panel(tab).hidden = !shown || tab.tabIndex !== 0;
  }

  list.addEventListener('click', (event) => {
    const tab = event.target.closest('[role="tab"]');
    if (tab) select(tab);
  });
  list.addEventListener('keydown', (event) => {
    const here = tabs.indexOf(document.activeElement);
    const next = { Home: 0, End: tabs.length - 1 }[event.key]
      ?? (event.key in STEPS ? (here + STEPS[event.key] + tabs.length) % tabs.length : null);
    if (next === null) return;
    event.preventDefault();
    select(tabs[next]);
    tabs[next].focus();
  });

  select(tabs[0]);
  return { select, show };
}
