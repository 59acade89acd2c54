"use strict";
// While a run goes on, its page loads itself again.
const Live = (() => {
  /** Seconds without news after which a run counts as stopped, at least; and between looks for news from then on. */
  const PATIENCE = 60, SLOW = 60;

  function follow() {
    if (!Data.live) return;
    const {every, written} = Data.live, {generation, evaluations} = Data.sources[0].facts;
    const badge = document.querySelector(".live"), label = badge.querySelector("span"), dialog = Dom.byId("closer");
    const progress = `live · generation ${Format.count(generation)}, ${Format.counted(evaluations, "evaluation")}`;
    const tick = () => {
      const silent = Date.now() / 1000 - written > Math.max(PATIENCE, 6 * every);
      badge.classList.toggle("gone", silent);
      label.textContent = silent ? "no news for a while: the run may have been stopped"
        : progress + (dialog.open ? " · waits while a picture is open" : "");
      const due = performance.now() / 1000 > (silent ? SLOW : every);
      if (due && !dialog.open && !document.hidden) location.reload();
      else setTimeout(tick, 250);
    };
    tick();
    // A picture that is gone was replaced by a better one: a newer page names it.
    const later = () => setTimeout(() => { if (!dialog.open) location.reload(); }, every * 1000);
    Grid.grid.addEventListener("error", later, true);
  }

  return {follow};
})();
