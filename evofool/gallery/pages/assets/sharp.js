"use strict";
// Tiles of CPPNs drawn anew at the size that they have on the screen.
const Sharp = (() => {
  const {byId} = Dom, {grid} = Grid;
  /** Milliseconds without scrolling before tiles are drawn, and milliseconds of drawing at once. */
  const REST = 120, SLICE = 12;
  /** Longest side, in pixels, that a tile is drawn at. */
  const MAX_SIDE = 512;

  /** Returns a canvas with a genome's picture, whose longer side is `side`. */
  function picture(genome, frame, side) {
    const [, height, width] = frame.shape, scale = side / Math.max(height, width), canvas = Dom.element("canvas");
    canvas.width = Math.max(1, Math.round(width * scale));
    canvas.height = Math.max(1, Math.round(height * scale));
    const bytes = Cppn.render(genome, frame, canvas.width, canvas.height);
    canvas.getContext("2d").putImageData(new ImageData(bytes, canvas.width, canvas.height), 0, 0);
    canvas.setAttribute("aria-hidden", "true");
    return canvas;
  }

  // Tiles in view are drawn once scrolling rests; tiles that are scrolled past cost nothing.
  const inView = new Set(), waiting = [];
  let resting = 0;
  const watcher = new IntersectionObserver((entries) => {
    for (const {target, isIntersecting} of entries) if (isIntersecting) inView.add(target); else inView.delete(target);
    clearTimeout(resting);
    resting = setTimeout(() => {
      for (const button of inView) { watcher.unobserve(button); enqueue(button); }
      inView.clear();
    }, REST);
  }, {rootMargin: "300px"});

  async function enqueue(button) {
    await Data.load(Grid.numberOf(button));
    waiting.push(button);
    if (waiting.length === 1) setTimeout(drawSome, 0);
  }

  function drawSome() {
    const end = performance.now() + SLICE;
    while (waiting.length && performance.now() < end) {
      const button = waiting.shift(), tile = Grid.tileOf(button), shot = button.querySelector(".shot");
      if (!tile.genome) continue;
      const ratio = Math.min(2, window.devicePixelRatio || 1);
      const side = Math.min(MAX_SIDE, Math.ceil(shot.clientWidth * ratio));
      if (side) {
        shot.append(picture(Cppn.compact(tile.genome), Data.sources[tile.s].frame, side));
        shot.classList.add("sharp");
      }
    }
    if (waiting.length) setTimeout(drawSome, 0);
  }

  // Where the network saw almost as many pixels as a tile has, there is nothing to sharpen.
  const coarse = grid.classList.contains("hard");
  const drawable = (tile) => coarse && (tile.genome || (tile.details && Data.sources[tile.s].frame));

  /** Shows tiles sharp, or as the network saw them, as chosen. */
  function apply() {
    const sharp = !byId("look") || byId("look").querySelector("input:checked").value === "sharp";
    for (const button of Grid.buttons()) {
      const shot = button.querySelector(".shot");
      if (sharp && drawable(Grid.tileOf(button))) watcher.observe(button);
      else {
        watcher.unobserve(button);
        inView.delete(button);
        shot.classList.remove("sharp");
        shot.querySelector("canvas")?.remove();
      }
    }
  }

  byId("look")?.addEventListener("change", apply);
  if (byId("look") && !Data.tiles.some(drawable)) byId("look").hidden = true;

  return {picture, apply};
})();
