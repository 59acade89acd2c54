"use strict";
// Keys on the page: arrows go from tile to tile, a slash into the filter.
(() => {
  const {byId} = Dom;
  /** Height in pixels of the controls that stay on top of the tiles. */
  const CONTROLS = 60;

  Arrows.among(Grid.grid, Grid.visible);

  /** Returns the keys that lead from the focused element into the grid. */
  function entrances() {
    if (document.activeElement === byId("filter")) return ["ArrowDown", "Enter"];
    return document.activeElement === document.body ? ["ArrowRight", "ArrowLeft"] : [];
  }

  document.addEventListener("keydown", (event) => {
    const open = byId("closer").open, inFilter = document.activeElement === byId("filter");
    if (entrances().includes(event.key) && !open && !Arrows.modified(event)) {
      event.preventDefault();
      const buttons = Grid.visible();
      (buttons.find((button) => button.getBoundingClientRect().top > CONTROLS) || buttons[0])?.focus();
    } else if (event.key === "/" && !open && !inFilter) {
      event.preventDefault();
      byId("filter").focus();
      byId("filter").select();
    } else if (event.key === "Escape" && inFilter) {
      byId("filter").value = "";
      Grid.filter();
      Grid.visible()[0]?.focus();
    }
  });
})();
