"use strict";
// What an experiment found to stay of an opened tile's confidence without parts of it.
const Parts = (() => {
  const {byId, element} = Dom;
  const LINEAR = Cppn.NAMES.indexOf("linear"), BIAS = Cppn.INPUTS.indexOf("bias");
  /** Longest side of the map of places, in pixels. */
  const MAP = 224;
  /** The colour of places that the confidence depends on. */
  const HOT = [255, 90, 40];

  const section = byId("parts"), hint = section.querySelector("small");
  const list = section.querySelector("ol"), map = section.querySelector("canvas");

  /** Returns how much of a confidence stays, in [0, 1]. */
  const share = (left, whole) => whole > 0 ? Math.min(1, left / whole) : 1;

  /** Returns a genome without some nodes: nothing reads them, and an output among them is 0. */
  function withoutNodes(genome, frame, nodes) {
    const ends = nodes.filter((node) => Cppn.outputs(frame.shape[0]).includes(node));
    const kept = genome.s.map((_, e) => e).filter((e) => !nodes.includes(genome.s[e]) && !ends.includes(genome.t[e]));
    const only = (values) => kept.map((e) => values[e]);
    const a = genome.a.map((activation, node) => ends.includes(node) ? LINEAR : activation);
    return {a, s: only(genome.s), t: only(genome.t), w: only(genome.w)};
  }

  /** Returns a genome in which waves have one period, around an argument each: a linear node before each clamps it. */
  function withOnePeriod(genome, nodes, centres) {
    const f3 = Math.fround(3 / Math.PI), changed = {a: [...genome.a], s: [...genome.s], t: [...genome.t], w: [...genome.w]};
    nodes.forEach((node, i) => {
      const clamp = changed.a.push(LINEAR) - 1, centre = centres[i];
      genome.t.forEach((sink, e) => {
        if (sink === node) { changed.t[e] = clamp; changed.w[e] = Math.fround(Math.fround(genome.w[e]) * f3); }
      });
      changed.s.push(BIAS, clamp, BIAS);
      changed.t.push(clamp, node, node);
      changed.w.push((-centre * 3) / Math.PI, Math.PI, centre);
    });
    return changed;
  }

  /** Returns what was removed, in words. */
  function title({kind, nodes, copies}, {genome, frame}) {
    if (kind === "copy") return `one of ${copies} copies less`;
    if (kind === "alone") return `one copy of ${copies}`;
    const names = nodes.map((node) => genome ? Graph.title(genome, frame, node) : `node ${node}`);
    if (kind === "period") return names.length > 2 ? `one period of ${names.length} waves` : `one period of ${names.join(" and ")}`;
    return `without ${names.join(" and ")}`;
  }

  /** Returns {genome} or {picture} of what is left without a part; null where it can't be drawn. */
  async function left(removal, {genome, frame}) {
    if (removal.picture) return {picture: await Data.image(removal.picture)};
    if (!genome) return null;
    const {kind, nodes, centres} = removal;
    return {genome: kind === "period" ? withOnePeriod(genome, nodes, centres) : withoutNodes(genome, frame, nodes)};
  }

  /** Shows what is known of the view's tile. `changed` is called when another part, or none, was chosen; the view then
   * has {genome or picture, words} as `without`, or null. */
  function show(view, changed) {
    const {parts} = view.tile;
    view.without = null;
    section.hidden = !parts;
    if (!parts) return;
    map.hidden = !parts.left;
    list.hidden = !parts.removals;
    hint.textContent = parts.left ? "click a place to cover it" : "click one to see the picture without it";
    if (parts.left) showPlaces(view, parts, changed);
    else showRemovals(view, parts, changed);
  }

  /** Shows the whole again, without telling anybody. */
  function forget(view) {
    view.without = null;
    list.querySelectorAll("button").forEach((button) => button.setAttribute("aria-pressed", "false"));
    if (view.tile.parts?.left) drawMap(view, null);
  }

  function showRemovals(view, {whole, removals}, changed) {
    list.replaceChildren(...removals.map((removal) => {
      const name = title(removal, view), row = element("li");
      const button = element("button", undefined, {type: "button", "aria-pressed": "false"});
      const bar = element("i"), label = element("b", name);
      if (removal.now) label.append(element("small", ` now ${Format.className(removal.now)}`));
      bar.style.setProperty("--share", `${100 * share(removal.left, whole)}%`);
      button.append(label, element("span", Format.percent(removal.left)), bar);
      button.addEventListener("click", async () => {
        const chosen = button.getAttribute("aria-pressed") !== "true", drawn = chosen ? await left(removal, view) : null;
        if (chosen && !drawn) return;
        forget(view);
        button.setAttribute("aria-pressed", String(chosen));
        if (drawn) view.without = {...drawn, words: `${name[0].toUpperCase()}${name.slice(1)}: ${Format.percent(removal.left)}.`};
        changed();
      });
      row.append(button);
      return row;
    }));
  }

  // Places that a square covers

  /** Returns the mean share that is lost at every pixel, over the squares that cover it. */
  function heat({whole, left: rows, rows: tops, columns: lefts, side}, width, height) {
    const sum = new Float32Array(width * height), count = new Float32Array(width * height);
    tops.forEach((top, r) => lefts.forEach((start, c) => {
      const lost = 1 - share(rows[r][c], whole);
      for (let y = top; y < top + side; y++) {
        for (let x = start; x < start + side; x++) { sum[y * width + x] += lost; count[y * width + x]++; }
      }
    }));
    return sum.map((value, i) => value / Math.max(1, count[i]));
  }

  /** Returns a canvas of the picture that the network saw. */
  function seenPixels({seen, frame}) {
    const [, height, width] = frame.shape, canvas = element("canvas", undefined, {width, height});
    canvas.getContext("2d").drawImage(seen, 0, 0, width, height);
    return canvas;
  }

  /** Draws the map, with the square at a place. */
  function drawMap(view, place) {
    const {parts} = view.tile, canvas = seenPixels(view), {width, height} = canvas;
    const pen = canvas.getContext("2d"), image = pen.getImageData(0, 0, width, height), lost = heat(parts, width, height);
    lost.forEach((value, i) => {
      const at = 4 * i, grey = ((image.data[at] + image.data[at + 1] + image.data[at + 2]) / 3) * 0.45;
      HOT.forEach((hot, channel) => { image.data[at + channel] = grey * (1 - value) + hot * value; });
    });
    pen.putImageData(image, 0, 0);
    const scale = Math.max(1, Math.floor(MAP / Math.max(width, height)));
    Object.assign(map, {width: width * scale, height: height * scale});
    const large = map.getContext("2d");
    large.imageSmoothingEnabled = false;
    large.drawImage(canvas, 0, 0, map.width, map.height);
    if (!place) return;
    const [row, column] = place, x = parts.columns[column] * scale, y = parts.rows[row] * scale;
    large.lineWidth = 2;
    large.strokeStyle = "#fff";
    large.strokeRect(x + 1, y + 1, parts.side * scale - 2, parts.side * scale - 2);
  }

  /** Returns the mean colour of a picture, mid-grey or black, as the experiment filled its squares. */
  function colour(pixels, {fill}) {
    if (fill !== "mean") return fill === "grey" ? "rgb(128 128 128)" : "#000";
    const {data} = pixels.getContext("2d").getImageData(0, 0, pixels.width, pixels.height), sums = [0, 0, 0];
    for (let i = 0; i < data.length; i++) if (i % 4 < 3) sums[i % 4] += data[i];
    return `rgb(${sums.map((sum) => Math.round((4 * sum) / data.length)).join(" ")})`;
  }

  function showPlaces(view, parts, changed) {
    const {whole, left: rows, rows: tops, columns: lefts, side} = parts;
    let place = null;
    function cover(row, column) {
      const again = place && place[0] === row && place[1] === column && view.without;
      place = again ? null : [row, column];
      view.without = null;
      if (place) {
        const picture = seenPixels(view), pen = picture.getContext("2d");
        pen.fillStyle = colour(picture, parts);
        pen.fillRect(lefts[column], tops[row], side, side);
        const words = `Without ${side} × ${side} pixels at ${lefts[column]}, ${tops[row]}: ${Format.percent(rows[row][column])} `
          + `of ${Format.percent(whole)}.`;
        view.without = {picture, words};
      }
      drawMap(view, place);
      changed();
    }
    const nearest = (edges, at) => edges.reduce((best, edge, i) =>
      Math.abs(edge + side / 2 - at) < Math.abs(edges[best] + side / 2 - at) ? i : best, 0);
    map.onclick = (event) => {
      const [, height, width] = view.frame.shape, {offsetX, offsetY} = event;
      cover(nearest(tops, (offsetY / map.clientHeight) * height), nearest(lefts, (offsetX / map.clientWidth) * width));
    };
    const steps = {ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1]};
    map.onkeydown = (event) => {
      const step = steps[event.key];
      if (!step) return;
      event.preventDefault();
      event.stopPropagation();
      const [row, column] = place ? [place[0] + step[0], place[1] + step[1]] : [0, 0];
      if (rows[row]?.[column] !== undefined) cover(row, column);
    };
    drawMap(view, null);
  }

  return {show, forget};
})();
