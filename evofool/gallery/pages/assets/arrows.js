"use strict";
// Arrow keys among things that are laid out in rows.
const Arrows = (() => {
  const STEPS = {ArrowRight: 1, ArrowLeft: -1, ArrowDown: "down", ArrowUp: "up", Home: "first", End: "last"};

  const modified = (event) => event.altKey || event.ctrlKey || event.metaKey;

  /** Returns the number of the button that is nearest below or above number `at`, or `at`. */
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

  /** Lets arrow keys move the focus among the buttons in a part of the page, which `buttons` returns. */
  function among(part, buttons) {
    part.addEventListener("keydown", (event) => {
      const step = STEPS[event.key], all = buttons(), at = all.indexOf(document.activeElement);
      if (step === undefined || at < 0 || modified(event)) return;
      event.preventDefault();
      all[destination(all, at, step)].focus();
    });
  }

  return {among, modified};
})();
