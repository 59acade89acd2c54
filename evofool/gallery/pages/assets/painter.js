"use strict";
// Genomes on canvases: at once as the network sees them, and then sharp, once a worker has drawn them.
const Painter = (() => {
  /** Longest side of a sharp picture in pixels. */
  const MAX_SIDE = 640;
  const {frame} = Setup, [, height, width] = frame.shape;

  function put(canvas, image, hard) {
    canvas.width = image.width;
    canvas.height = image.height;
    canvas.getContext("2d").putImageData(image, 0, 0);
    canvas.classList.toggle("hard", hard);
  }

  /** Returns what the network is given of a genome. */
  const native = (genome) => new ImageData(Cppn.render(genome, frame, width, height), width, height);

  /** Shows a genome on a canvas. What it is shown later replaces it. */
  function paint(canvas, genome, {sharp}) {
    canvas.shows = genome;
    put(canvas, native(genome), !sharp);
    const side = Math.min(MAX_SIDE, Math.ceil(canvas.clientWidth * Math.min(2, window.devicePixelRatio || 1)));
    const scale = side / Math.max(width, height), wanted = () => canvas.shows === genome && canvas.isConnected;
    canvas.dataset.look = sharp ? "sharp" : "seen";
    if (!sharp || scale <= 1) return;
    Judges.draw(genome, Math.round(width * scale), Math.round(height * scale), wanted).then((image) => {
      if (wanted() && canvas.dataset.look === "sharp") put(canvas, image, false);
    });
  }

  return {native, paint};
})();
