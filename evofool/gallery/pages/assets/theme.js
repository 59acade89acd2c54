"use strict";
// Light or dark: as the system has it, until a reader chooses.
(() => {
  const root = document.documentElement, {theme} = Memory.theme.read();
  if (theme) root.dataset.theme = theme;
  Dom.byId("theme").addEventListener("click", () => {
    const dark = matchMedia("(prefers-color-scheme:dark)").matches;
    const current = root.dataset.theme || (dark ? "dark" : "light");
    root.dataset.theme = current === "dark" ? "light" : "dark";
    Memory.theme.write({theme: root.dataset.theme});
  });
})();
