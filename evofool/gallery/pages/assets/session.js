"use strict";
// What a reader has chosen stays chosen when the page loads itself again.
const Session = (() => {
  const {byId} = Dom;
  const CONTROLS = ["filter", "level", "sort", "own", "theme"];

  const checked = (id) => byId(id)?.querySelector("input:checked").value;

  /** Returns what a tile is called, without its confidence: that may change. */
  const nameOf = (button) => button?.getAttribute("aria-label").replace(/, [<\d. ]+%.*/, "");

  function remember() {
    const focused = document.activeElement;
    Memory.session.write({
      filter: byId("filter").value, level: byId("level").value, sort: byId("sort").value, scroll: scrollY,
      look: checked("look"), own: byId("own")?.checked, across: checked("across"), focus: focused?.id, caret: byId("filter").selectionStart,
      tile: nameOf(focused?.closest?.(".tile")),
    });
  }

  /** Brings back the choices, and shows the grid accordingly. */
  function restore() {
    const session = Memory.session.read();
    if (session.filter) byId("filter").value = session.filter;
    for (const id of ["level", "sort"]) {
      if ([...byId(id).options].some((option) => option.value === session[id])) byId(id).value = session[id];
    }
    if (session.look === "seen" && byId("look")) byId("look").querySelector("[value=seen]").checked = true;
    if (session.own && byId("own")) byId("own").checked = true;
    Grid.arrange();
    Sharp.apply();
    if (session.scroll) {
      history.scrollRestoration = "manual";
      requestAnimationFrame(() => scrollTo(0, session.scroll));
    }
    const tile = session.tile && Grid.visible().find((button) => nameOf(button) === session.tile);
    (CONTROLS.includes(session.focus) ? byId(session.focus) : tile)?.focus({preventScroll: true});
    if (session.focus === "filter") byId("filter").setSelectionRange(session.caret, session.caret);
  }

  addEventListener("pagehide", remember);

  return {restore};
})();
