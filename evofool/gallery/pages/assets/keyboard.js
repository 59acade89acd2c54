"use strict";
// Keys on the page: arrows go from tile to tile, a slash into the filter.
(() => {
  const {byId} = Dom;
  const STEPS = {ArrowRight: 1, ArrowLeft: -1, ArrowDown: "down", ArrowUp: "up", Home: "first", End: "last"};
  /** Height in pixels of the controls that stay on top of the tiles. */
  const CONTROLS = 60;

  const modified = (event) => event.altKey || event.ctrlKey || event.metaKey;

  /** Returns the number of the tile that is nearest below or above number `at`, or `at`. */
  function neighbour(buttons, at, step) {
    const box = buttons[at].getBoundingClientRect(), sign = step === "down" ? 1 : -1;
    let shortest = Infinity, nearest = at;
    buttons.forEach((other, number) => {
      const otherBox = other.getBoundingClientRect(), below = sign * (otherBox.top - box.top);
      const distance = below * 4 + Math.abs(otherBox.left - box.left);
      if (below > 10 && distance < shortest) { shortest = distance; nearest = number; }
    });
    return nearest;
  }

  function destination(buttons, at, step) {
    if (step === "first") return 0;
    if (step === "last") return buttons.length - 1;
    if (step === "down" || step === "up") return neighbour(buttons, at, step);
    return Math.max(0, Math.min(buttons.length - 1, at + step));
  }

  Grid.grid.addEventListener("keydown", (event) => {
    const step = STEPS[event.key], buttons = Grid.visible(), at = buttons.indexOf(document.activeElement);
    if (step === undefined || at < 0 || modified(event)) return;
    event.preventDefault();
    buttons[destination(buttons, at, step)].focus();
  });

  /** Returns the keys that lead from the focused element into the grid. */
  function entrances() {
    if (document.activeElement === byId("filter")) return ["ArrowDown", "Enter"];
    return document.activeElement === document.body ? ["ArrowRight", "ArrowLeft"] : [];
  }

  document.addEventListener("keydown", (event) => {
    const open = byId("closer").open, inFilter = document.activeElement === byId("filter");
    if (entrances().includes(event.key) && !open && !modified(event)) {
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
