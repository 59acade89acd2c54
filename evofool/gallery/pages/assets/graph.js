"use strict";
// A CPPN drawn as a graph, from its inputs to its colours, every node with its activation's curve.
const Graph = (() => {
  /** Sizes in pixels: of a node, from the first and the last level to the edge, and of the label below a node. */
  const RADIUS = 19, MARGIN = 46, LABEL = 16;
  /** Pixels from level to level at least and at most, and from node to node of a level that is drawn as a column, or as
   * a row. */
  const LEVEL = [64, 104], NODE = 60, NARROW = 44;
  /** Size in pixels of the labels. On a large screen, where the text around is larger, all of it is. */
  const LETTERS = 13;
  /** A graph that has no room is drawn smaller, down to this scale; beyond that it scrolls. Labels and lines keep their
   * size, so that labels need more room around it: half as many pixels as the longest of them is wide. */
  const SMALLEST = 0.3, ROUND = 30;
  /** Room in pixels below which levels are drawn as rows. */
  const UPRIGHT = 440;
  /** Milliseconds without another weight before it is told what the picture depends on. */
  const REST = 120;

  const outputNames = (frame) => frame.colour === "grey" ? ["grey"]
    : frame.colour === "hsl" ? ["hue", "saturation", "lightness"] : ["red", "green", "blue"];

  /** Returns the name of a node. */
  function title(genome, frame, node) {
    const names = [...Cppn.INPUTS, ...outputNames(frame)];
    return names[node] || `${Cppn.NAMES[genome.a[node]]} ${node}`;
  }

  /** Returns the nodes of every level, inputs first and outputs last, in an order that lets few lines cross. */
  function levels(genome, frame) {
    const level = Cppn.levels(genome), count = frame.shape[0], ends = Cppn.outputs(count);
    const hidden = genome.a.map((_, node) => node).filter((node) => node >= Cppn.INPUTS.length + count);
    const last = Math.max(1, ...hidden.map((node) => level[node] + 1));
    const at = (node) => {
      if (node < Cppn.INPUTS.length) return 0;
      return ends.includes(node) ? last : Math.min(level[node], last - 1);
    };
    const all = Array.from({length: last + 1}, () => []);
    genome.a.forEach((_, node) => all[at(node)].push(node));
    const full = all.filter((nodes) => nodes.length), place = new Map();
    full.forEach((nodes) => nodes.forEach((node, i) => place.set(node, (i + 0.5) / nodes.length)));
    const neighbours = genome.a.map(() => []);
    genome.s.forEach((source, e) => {
      neighbours[genome.t[e]].push(source);
      neighbours[source].push(genome.t[e]);
    });
    const mean = (node) => neighbours[node].reduce((sum, other) => sum + place.get(other), 0) / neighbours[node].length;
    const wanted = (node) => (neighbours[node].length ? mean(node) : place.get(node));
    for (let round = 0; round < 8; round++) {
      for (const nodes of full.slice(1, -1)) {
        nodes.sort((a, b) => wanted(a) - wanted(b));
        nodes.forEach((node, i) => place.set(node, (i + 0.5) / nodes.length));
      }
    }
    return full;
  }

  /** Returns {x, y} of every node, the size of the drawing, and whether inputs stand above outputs instead of left of
   * them, as they do where there is little room. */
  function layout(genome, frame, room) {
    const full = levels(genome, frame), upright = room < UPRIGHT, steps = full.length - 1;
    const most = Math.max(...full.map((nodes) => nodes.length), 4);
    const along = upright ? LEVEL[1] : Math.min(LEVEL[1], Math.max(LEVEL[0], (room - 2 * MARGIN) / steps));
    const across = upright ? Math.max(room, most * NARROW) : most * NODE;
    const positions = new Map();
    full.forEach((nodes, level) => nodes.forEach((node, i) => {
      const first = MARGIN + level * along, second = ((i + 0.5) / nodes.length) * across;
      positions.set(node, upright ? {x: second, y: first} : {x: first, y: second});
    }));
    const long = 2 * MARGIN + steps * along;
    return {positions, upright, width: upright ? across : long, height: upright ? long : across + LABEL};
  }

  /** Returns the curve of an activation as an SVG path that fits into a node. */
  function curve(activation) {
    const points = [];
    for (let i = 0; i <= 24; i++) {
      const p = -3.2 + (6.4 * i) / 24;
      points.push(`${((p / 3.2) * 12).toFixed(1)} ${(-9.5 * Cppn.at(activation, p)).toFixed(1)}`);
    }
    return `M${points.join("L")}`;
  }

  /** Returns the path of a line from one node to another. */
  function wire(from, to, upright) {
    if (upright) {
      const y1 = from.y + RADIUS, y2 = to.y - RADIUS, bend = Math.max(26, (y2 - y1) * 0.45);
      return `M${from.x} ${y1}C${from.x} ${y1 + bend} ${to.x} ${y2 - bend} ${to.x} ${y2}`;
    }
    const x1 = from.x + RADIUS, x2 = to.x - RADIUS, bend = Math.max(26, (x2 - x1) * 0.45);
    return `M${x1} ${from.y}C${x1 + bend} ${from.y} ${x2 - bend} ${to.y} ${x2} ${to.y}`;
  }

  /** Draws a genome into `parent`. `chosen` is called with the number of a connection that is clicked, `looked` with
   * that of a node. Returns functions that draw other weights, and mark a connection or a node. */
  function draw(parent, genome, frame, {chosen, looked}) {
    const scale = parseFloat(getComputedStyle(parent).fontSize) / LETTERS;
    const room = parent.clientWidth / scale, {positions, upright, width, height} = layout(genome, frame, room);
    const fit = Math.max(SMALLEST, Math.min(1, (room - 2 * ROUND) / (width - 2 * ROUND)));
    const more = ROUND * (1 / fit - 1), box = [width + 2 * more, height + 2 * more];
    const [wide, high] = box.map((edge) => edge * scale * fit);
    const svg = Dom.svg("svg", {width: wide, height: high, viewBox: `${-more} ${-more} ${box.join(" ")}`, role: "group",
      "aria-label": `A graph of ${genome.a.length} nodes and ${genome.s.length} connections`});
    const largest = Math.max(1e-9, ...genome.w.map(Math.abs));
    const wires = genome.s.map((source, e) => {
      const d = wire(positions.get(source), positions.get(genome.t[e]), upright);
      const g = Dom.svg("g", {class: "wire", "data-e": e}, svg);
      Dom.svg("path", {class: "edge", d}, g);
      Dom.svg("path", {class: "grip", d}, g).addEventListener("click", () => chosen(e));
      return g;
    });
    const widen = (weights) => wires.forEach((g, e) => {
      const path = g.firstChild, share = Math.min(1, Math.abs(weights[e]) / largest);
      path.setAttribute("class", `edge ${weights[e] < 0 ? "minus" : "plus"}`);
      path.setAttribute("stroke-width", (1 + 4 * share).toFixed(2));
      path.setAttribute("opacity", (0.45 + 0.55 * share).toFixed(2));
    });
    const nodes = genome.a.map((activation, node) => {
      const {x, y} = positions.get(node), named = node < Cppn.INPUTS.length + frame.shape[0];
      const input = node < Cppn.INPUTS.length;
      const g = Dom.svg("g", {class: "node", transform: `translate(${x} ${y})`,
        tabindex: 0, role: "button", "aria-label": title(genome, frame, node)}, svg);
      Dom.svg("title", {}, g, title(genome, frame, node));
      Dom.svg("circle", {class: "body", r: RADIUS}, g);
      if (!input) Dom.svg("path", {class: "curve", d: curve(activation)}, g);
      if (named) {
        const y = upright && input ? -RADIUS - 7 : RADIUS + LABEL / fit;
        Dom.svg("text", {y, "text-anchor": "middle", style: `font-size:${LETTERS / fit}px`}, g, title(genome, frame, node));
      }
      g.addEventListener("click", () => looked(node));
      g.addEventListener("keydown", (event) => {
        if (event.key !== "Enter" && event.key !== " ") return;
        event.preventDefault();
        looked(node);
      });
      return g;
    });
    parent.replaceChildren(svg);
    parent.scrollLeft = 0;
    const mark = (all, on) => all.forEach((g, i) => g.classList.toggle("on", i === on));
    let resting = 0;
    /** Makes pale what the picture does not depend on. */
    function fade(weights) {
      const {nodes: needed, edges} = Influence.of({...genome, w: weights}, frame);
      wires.forEach((g, e) => g.classList.toggle("idle", !edges[e]));
      nodes.forEach((g, node) => g.classList.toggle("idle", !needed[node]));
    }
    function weigh(weights) {
      widen(weights);
      clearTimeout(resting);
      resting = setTimeout(() => fade(weights), REST);
    }
    widen(genome.w);
    fade(genome.w);
    return {weigh, markWire: (e) => mark(wires, e), markNode: (node) => mark(nodes, node)};
  }

  return {draw, title};
})();
