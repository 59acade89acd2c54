"use strict";
// The page's data: its sources and tiles. Of many tiles the details lie beside the page, and are loaded on demand.
const Data = (() => {
  const {live, sources, tiles} = JSON.parse(Dom.byId("data").textContent);
  const loading = new Map();

  /** Resolves when the details of tile `n` are there. */
  function load(n) {
    if (!tiles[n].details) return Promise.resolve();
    if (!loading.has(n)) loading.set(n, new Promise((resolve) => {
      const script = Dom.element("script", undefined, {src: tiles[n].details});
      script.onload = script.onerror = resolve;
      document.head.append(script);
    }));
    return loading.get(n);
  }

  /** Resolves to an image that is loaded, or could not be. */
  function image(src) {
    return new Promise((resolve) => {
      const made = new Image();
      made.onload = made.onerror = () => resolve(made);
      made.src = src;
    });
  }

  // The scripts beside the page call this function.
  window.evofoolDetails = (n, details) => Object.assign(tiles[n], details, {details: null});

  return {live, sources, tiles, load, image};
})();
