"use strict";
// A picture one can go into: a CPPN computed anew for every window, or pixels with hard edges.
const Stage = (() => {
  const MOST = 1100, DEEPEST = 1e-11, WIDEST = 64;

  /** A stage on a canvas; `changed` is called when its window was moved. */
  function on(canvas, changed) {
    const pen = canvas.getContext("2d");
    let shown = {frame: null, genome: null, picture: null, rings: [], program: null, colour: "hsl"};
    let view = null, job = 0, speed = 4e-6, settle = 0;

    const size = () => ({width: shown.frame.shape[2], height: shown.frame.shape[1]});

    function resize() {
      const ratio = Math.min(window.devicePixelRatio || 1, MOST / Math.max(1, canvas.clientWidth, canvas.clientHeight));
      canvas.width = Math.max(1, Math.round(canvas.clientWidth * ratio));
      canvas.height = Math.max(1, Math.round(canvas.clientHeight * ratio));
    }

    /** The window that holds the whole image, in the canvas's proportions. */
    function whole() {
      const {width, height} = size(), wide = canvas.width / canvas.height;
      const across = Math.max(width, height * wide);
      return {x: (width - across) / 2, y: (height - across / wide) / 2, width: across, height: across / wide};
    }

    const zoomed = () => Math.max(size().width, size().height) / Math.max(view.width, view.height);

    function pixels() {
      const {width, height} = size(), scale = canvas.width / view.width;
      pen.clearRect(0, 0, canvas.width, canvas.height);
      pen.imageSmoothingEnabled = false;
      pen.drawImage(shown.picture, -view.x * scale, -view.y * scale, width * scale, height * scale);
      for (const [back, line, tone] of [[5, 2.5, "rgb(0 0 0/.55)"], [2.4, 2.5, "#fff"]]) {
        pen.lineWidth = back * Math.max(1, canvas.width / canvas.clientWidth);
        pen.strokeStyle = tone;
        for (const [x, y] of shown.rings) {
          pen.beginPath();
          pen.arc((x + 0.5 - view.x) * scale, (y + 0.5 - view.y) * scale, Math.max(0.8 * scale, Math.min(line * 6, 2 * scale)), 0, 7);
          pen.stroke();
        }
      }
    }

    /** The window on the genome: coarse at once where the whole takes too long, then fine, band by band. */
    function pattern() {
      const mine = ++job, {program, frame, colour} = shown, w = canvas.width, h = canvas.height, window_ = {...view};
      const coarse = Math.min(12, Math.max(1, Math.ceil(Math.sqrt((speed * program.cost * w * h) / 24))));
      const painted = (step, from, to) => {
        const wide = Math.ceil(w / step), high = Math.ceil(h / step), started = performance.now();
        const image = new ImageData(wide, to - from);
        const inputs = Cppn.coordinates(frame, window_, wide, high, from, to);
        Cppn.paint(Cppn.evaluate(program, inputs), colour, image.data);
        const took = performance.now() - started, work = program.cost * wide * (to - from);
        if (work > 1e5) speed = 0.7 * speed + 0.3 * (took / work);
        return image;
      };
      if (coarse > 1) {
        const wide = Math.ceil(w / coarse), high = Math.ceil(h / coarse), small = document.createElement("canvas");
        small.width = wide;
        small.height = high;
        small.getContext("2d").putImageData(painted(coarse, 0, high), 0, 0);
        pen.imageSmoothingEnabled = true;
        pen.drawImage(small, 0, 0, w, h);
        edge();
      }
      let row = 0;
      const fine = () => {
        if (mine !== job) return;
        const until = performance.now() + 14;
        while (row < h && performance.now() < until) {
          const end = Math.min(h, row + Math.max(1, Math.floor(24000 / w)));
          pen.putImageData(painted(1, row, end), 0, row);
          row = end;
        }
        if (row < h) settle = setTimeout(fine, 0);
        else { edge(); canvas.dataset.drawn = String(mine); }
      };
      clearTimeout(settle);
      if (coarse > 1) settle = setTimeout(fine, 90);
      else fine();
    }

    /** Fade what the network was not shown. */
    function edge() {
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
      if (shown.program) pattern();
      else if (shown.picture) { job++; clearTimeout(settle); pixels(); canvas.dataset.drawn = String(job); }
      canvas.dataset.zoom = String(zoomed());
      changed(zoomed());
    }

    /** Show a genome (with `node`, what that node sees) or a picture; the window stays unless `anew`. */
    function show({frame, genome = null, node, picture = null, rings = [], anew = false}) {
      const ends = node === undefined ? Cppn.outputs(frame.shape[0]) : [node];
      shown = {frame, genome, picture, rings, program: genome ? Cppn.compile(genome, ends) : null,
        colour: node === undefined ? frame.colour : "signed"};
      if (anew || !view) { resize(); view = whole(); }
      draw();
    }

    function zoom(factor, x = canvas.clientWidth / 2, y = canvas.clientHeight / 2) {
      const px = x / canvas.clientWidth, py = y / canvas.clientHeight, whole_ = whole();
      const width = Math.min(whole_.width * WIDEST, Math.max(whole_.width * DEEPEST, view.width / factor));
      const height = (width * canvas.height) / canvas.width;
      view = {x: view.x + px * (view.width - width), y: view.y + py * (view.height - height), width, height};
      draw();
    }

    function pan(dx, dy) {
      view.x -= (dx / canvas.clientWidth) * view.width;
      view.y -= (dy / canvas.clientHeight) * view.height;
      draw();
    }

    /** A window around a place in the image's own pixels. */
    function closeUp(x, y, across) {
      const height = (across * canvas.height) / canvas.width;
      view = {x: x - across / 2, y: y - height / 2, width: across, height};
      draw();
    }

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
    for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, (event) => touching.delete(event.pointerId));
    canvas.addEventListener("wheel", (event) => {
      event.preventDefault();
      zoom(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0016)), event.offsetX, event.offsetY);
    }, {passive: false});
    canvas.addEventListener("dblclick", (event) => zoom(2, event.offsetX, event.offsetY));
    new ResizeObserver(() => {
      if (!view || !canvas.clientWidth) return;
      const kept = zoomed(), x = view.x + view.width / 2, y = view.y + view.height / 2;
      resize();
      view = whole();
      if (kept > 1.01) closeUp(x, y, Math.max(size().width, size().height) / kept);
      else draw();
    }).observe(canvas);

    return {show, zoom, pan, closeUp, whole: () => { view = whole(); draw(); }};
  }

  return {on};
})();
