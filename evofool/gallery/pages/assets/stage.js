"use strict";
// A picture to zoom into: a CPPN that is computed anew for every window, or pixels with hard edges.
const Stage = (() => {
  /** Longest side of the canvas in device pixels. */
  const MAX_SIDE = 1100;
  /** Width of the smallest and of the largest window, as multiples of the window that holds the whole image. */
  const DEEPEST = 1e-11, WIDEST = 64;
  /** Milliseconds of drawing at once, and before a fine drawing follows a coarse one. */
  const SLICE = 14, REST = 90;

  /** Returns a stage on a canvas. */
  function on(canvas) {
    const pen = canvas.getContext("2d");
    let shown = {frame: null, genome: null, picture: null, rings: [], program: null, colour: "hsl"};
    // The window, the number of the drawing, milliseconds of a unit of work as measured, and the timer of what follows.
    let view = null, job = 0, speed = 4e-6, timer = 0;

    const size = () => ({width: shown.frame.shape[2], height: shown.frame.shape[1]});

    function resize() {
      const side = Math.max(1, canvas.clientWidth, canvas.clientHeight);
      const ratio = Math.min(window.devicePixelRatio || 1, MAX_SIDE / side);
      canvas.width = Math.max(1, Math.round(canvas.clientWidth * ratio));
      canvas.height = Math.max(1, Math.round(canvas.clientHeight * ratio));
    }

    /** Returns the window that holds the whole image, in the canvas's proportions. */
    function wholeWindow() {
      const {width, height} = size(), ratio = canvas.width / canvas.height, across = Math.max(width, height * ratio);
      return {x: (width - across) / 2, y: (height - across / ratio) / 2, width: across, height: across / ratio};
    }

    /** Returns how many times the image is larger than the window. */
    const zoomed = () => Math.max(size().width, size().height) / Math.max(view.width, view.height);

    function drawPixels() {
      const {width, height} = size(), scale = canvas.width / view.width;
      pen.clearRect(0, 0, canvas.width, canvas.height);
      pen.imageSmoothingEnabled = false;
      pen.drawImage(shown.picture, -view.x * scale, -view.y * scale, width * scale, height * scale);
      const radius = Math.max(0.8 * scale, Math.min(15, 2 * scale));
      for (const [width_, colour] of [[5, "rgb(0 0 0/.55)"], [2.4, "#fff"]]) {
        pen.lineWidth = width_ * Math.max(1, canvas.width / canvas.clientWidth);
        pen.strokeStyle = colour;
        for (const [x, y] of shown.rings) {
          pen.beginPath();
          pen.arc((x + 0.5 - view.x) * scale, (y + 0.5 - view.y) * scale, radius, 0, 7);
          pen.stroke();
        }
      }
    }

    /** Draws the window on the genome: coarse at once where the whole takes long, then fine, band by band. */
    function drawGenome() {
      const current = ++job, {program, frame, colour} = shown, w = canvas.width, h = canvas.height, target = {...view};
      const coarse = Math.min(12, Math.max(1, Math.ceil(Math.sqrt((speed * program.cost * w * h) / 24))));
      const painted = (step, from, to) => {
        const width = Math.ceil(w / step), height = Math.ceil(h / step), started = performance.now();
        const image = new ImageData(width, to - from);
        const inputs = Cppn.coordinates(frame, target, width, height, from, to);
        Cppn.paint(Cppn.evaluate(program, inputs), colour, image.data);
        const took = performance.now() - started, work = program.cost * width * (to - from);
        if (work > 1e5) speed = 0.7 * speed + 0.3 * (took / work);
        return image;
      };
      if (coarse > 1) {
        const width = Math.ceil(w / coarse), height = Math.ceil(h / coarse);
        const small = Dom.element("canvas", undefined, {width, height});
        small.getContext("2d").putImageData(painted(coarse, 0, height), 0, 0);
        pen.imageSmoothingEnabled = true;
        pen.drawImage(small, 0, 0, w, h);
        dimOutside();
      }
      let row = 0;
      const fine = () => {
        if (current !== job) return;
        const until = performance.now() + SLICE;
        while (row < h && performance.now() < until) {
          const end = Math.min(h, row + Math.max(1, Math.floor(24000 / w)));
          pen.putImageData(painted(1, row, end), 0, row);
          row = end;
        }
        if (row < h) timer = setTimeout(fine, 0);
        else { dimOutside(); canvas.dataset.drawn = String(current); }
      };
      clearTimeout(timer);
      if (coarse > 1) timer = setTimeout(fine, REST);
      else fine();
    }

    /** Dims what the network was not shown. */
    function dimOutside() {
      const {width, height} = size(), scale = canvas.width / view.width;
      if (view.x >= 0 && view.y >= 0 && view.x + view.width <= width && view.y + view.height <= height) return;
      const [x, y, w, h] = [-view.x * scale, -view.y * scale, width * scale, height * scale];
      pen.fillStyle = getComputedStyle(canvas).backgroundColor;
      pen.globalAlpha = 0.5;
      pen.beginPath();
      pen.rect(0, 0, canvas.width, canvas.height);
      pen.rect(x, y, w, h);
      pen.fill("evenodd");
      pen.globalAlpha = 1;
    }

    function draw() {
      if (!shown.frame || !view || !canvas.clientWidth) return;
      if (shown.program) drawGenome();
      else if (shown.picture) {
        job++;
        clearTimeout(timer);
        drawPixels();
        canvas.dataset.drawn = String(job);
      }
      canvas.dataset.zoom = String(zoomed());
    }

    function showWhole() {
      view = wholeWindow();
      draw();
    }

    /** Shows a genome (with `node`, what that node sees) or a picture. The window stays, unless `whole` is true. */
    function show({frame, genome = null, node, picture = null, rings = [], whole = false}) {
      const ends = node === undefined ? Cppn.outputs(frame.shape[0]) : [node];
      shown = {frame, genome, picture, rings, program: genome ? Cppn.compile(genome, ends) : null,
        colour: node === undefined ? frame.colour : "signed"};
      if (whole || !view) { resize(); view = wholeWindow(); }
      draw();
    }

    /** Makes the window smaller by a factor. The pixel (x, y) of the canvas stays where it is. */
    function zoom(factor, x = canvas.clientWidth / 2, y = canvas.clientHeight / 2) {
      const px = x / canvas.clientWidth, py = y / canvas.clientHeight, full = wholeWindow().width;
      const width = Math.min(full * WIDEST, Math.max(full * DEEPEST, view.width / factor));
      const height = (width * canvas.height) / canvas.width;
      view = {x: view.x + px * (view.width - width), y: view.y + py * (view.height - height), width, height};
      draw();
    }

    /** Moves the picture by pixels of the canvas. */
    function pan(dx, dy) {
      view.x -= (dx / canvas.clientWidth) * view.width;
      view.y -= (dy / canvas.clientHeight) * view.height;
      draw();
    }

    /** Shows a window of a width, around a point; all in pixels of the image. */
    function closeUp(x, y, across) {
      const height = (across * canvas.height) / canvas.width;
      view = {x: x - across / 2, y: y - height / 2, width: across, height};
      draw();
    }

    // Pointers that are down: one drags, two zoom.
    const touching = new Map();
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      touching.set(event.pointerId, {x: event.offsetX, y: event.offsetY});
    });
    canvas.addEventListener("pointermove", (event) => {
      const before = touching.get(event.pointerId);
      if (!before) return;
      const now = {x: event.offsetX, y: event.offsetY};
      const other = [...touching].find(([id]) => id !== event.pointerId);
      touching.set(event.pointerId, now);
      if (other) {
        const apart = (p) => Math.hypot(p.x - other[1].x, p.y - other[1].y);
        zoom(apart(now) / Math.max(1, apart(before)), (now.x + other[1].x) / 2, (now.y + other[1].y) / 2);
      } else pan(now.x - before.x, now.y - before.y);
    });
    for (const name of ["pointerup", "pointercancel"]) {
      canvas.addEventListener(name, (event) => touching.delete(event.pointerId));
    }
    canvas.addEventListener("wheel", (event) => {
      event.preventDefault();
      zoom(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0016)), event.offsetX, event.offsetY);
    }, {passive: false});
    canvas.addEventListener("dblclick", (event) => zoom(2, event.offsetX, event.offsetY));
    new ResizeObserver(() => {
      if (!view || !canvas.clientWidth) return;
      const kept = zoomed(), x = view.x + view.width / 2, y = view.y + view.height / 2;
      resize();
      view = wholeWindow();
      if (kept > 1.01) closeUp(x, y, Math.max(size().width, size().height) / kept);
      else draw();
    }).observe(canvas);

    return {show, zoom, pan, closeUp, whole: showWhole};
  }

  return {on};
})();
