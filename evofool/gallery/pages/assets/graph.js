"use strict";
// A CPPN drawn as a graph: inputs on the left, colours on the right, every node with its activation's curve.
const Graph = (() => {
  /** Sizes in pixels: of a node, between columns, between rows, and the margin on both sides. */
  const RADIUS = 19, COLUMN = 102, ROW = 58, MARGIN = 95;

  const outputNames = (frame) => frame.colour === "grey" ? ["grey"]
    : frame.colour === "hsl" ? ["hue", "saturation", "lightness"] : ["red", "green", "blue"];

  /** Returns the name of a node. */
  function title(genome, frame, node) {
    const names = [...Cppn.INPUTS, ...outputNames(frame)];
    return names[node] || `${Cppn.NAMES[genome.a[node]]} ${node}`;
  }

  /** Returns {x, y} of every node, and the size of the graph. Columns are levels; rows let few lines cross. */
  function layout(genome, frame) {
    const level = Cppn.levels(genome), count = frame.shape[0], ends = Cppn.outputs(count);
    const hidden = genome.a.map((_, node) => node).filter((node) => node >= Cppn.INPUTS.length + count);
    const last = Math.max(1, ...hidden.map((node) => level[node] + 1));
    const column = (node) => {
      if (node < Cppn.INPUTS.length) return 0;
      return ends.includes(node) ? last : Math.min(level[node], last - 1);
    };
    const columns = Array.from({length: last + 1}, () => []);
    genome.a.forEach((_, node) => columns[column(node)].push(node));
    const full = columns.filter((nodes) => nodes.length);
    const row = new Map();
    full.forEach((nodes) => nodes.forEach((node, i) => row.set(node, (i + 0.5) / nodes.length)));
    const neighbours = genome.a.map(() => []);
    genome.s.forEach((source, e) => {
      neighbours[genome.t[e]].push(source);
      neighbours[source].push(genome.t[e]);
    });
    const mean = (node) => neighbours[node].reduce((sum, other) => sum + row.get(other), 0) / neighbours[node].length;
    const wanted = (node) => (neighbours[node].length ? mean(node) : row.get(node));
    for (let round = 0; round < 8; round++) {
      for (const nodes of full.slice(1, -1)) {
        nodes.sort((a, b) => wanted(a) - wanted(b));
        nodes.forEach((node, i) => row.set(node, (i + 0.5) / nodes.length));
      }
    }
    const height = Math.max(...full.map((nodes) => nodes.length), 4) * ROW;
    const positions = new Map();
    full.forEach((nodes, c) => nodes.forEach((node) =>
      positions.set(node, {x: MARGIN + c * COLUMN, y: 12 + row.get(node) * height})));
    return {positions, width: 2 * MARGIN + (full.length - 1) * COLUMN, height: height + 24};
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

  /** Draws a genome into `parent`. `chosen` is called with the number of a connection that is clicked, `looked` with
   * that of a node. Returns functions that draw other weights, and mark a connection or a node. */
  function draw(parent, genome, frame, {chosen, looked}) {
    const {positions, width, height} = layout(genome, frame);
    const svg = Dom.svg("svg", {width, height, viewBox: `0 0 ${width} ${height}`, role: "group",
      "aria-label": `A graph of ${genome.a.length} nodes and ${genome.s.length} connections`});
    const used = Cppn.feeding(genome, Cppn.outputs(frame.shape[0]));
    const largest = Math.max(1e-9, ...genome.w.map(Math.abs));
    const wires = genome.s.map((source, e) => {
      const from = positions.get(source), to = positions.get(genome.t[e]);
      const x1 = from.x + RADIUS, x2 = to.x - RADIUS, bend = Math.max(26, (x2 - x1) * 0.45);
      const d = `M${x1} ${from.y}C${x1 + bend} ${from.y} ${x2 - bend} ${to.y} ${x2} ${to.y}`;
      const g = Dom.svg("g", {class: used[genome.t[e]] ? "wire" : "wire idle", "data-e": e}, svg);
      Dom.svg("path", {class: "edge", d}, g);
      Dom.svg("path", {class: "grip", d}, g).addEventListener("click", () => chosen(e));
      return g;
    });
    const weigh = (weights) => wires.forEach((g, e) => {
      const path = g.firstChild, share = Math.min(1, Math.abs(weights[e]) / largest);
      path.setAttribute("class", `edge ${weights[e] < 0 ? "down" : "up"}`);
      path.setAttribute("stroke-width", (0.7 + 4.3 * share).toFixed(2));
      path.setAttribute("opacity", (0.25 + 0.75 * share).toFixed(2));
    });
    weigh(genome.w);
    const nodes = genome.a.map((activation, node) => {
      const {x, y} = positions.get(node), named = node < Cppn.INPUTS.length + frame.shape[0];
      const input = node < Cppn.INPUTS.length;
      const g = Dom.svg("g", {class: used[node] || input ? "node" : "node idle", transform: `translate(${x} ${y})`,
        tabindex: 0, role: "button", "aria-label": title(genome, frame, node)}, svg);
      Dom.svg("title", {}, g, title(genome, frame, node));
      Dom.svg("circle", {class: "body", r: RADIUS}, g);
      if (!input) Dom.svg("path", {class: "curve", d: curve(activation)}, g);
      if (named) {
        const beside = input ? {x: -RADIUS - 8, y: 4.5, "text-anchor": "end"} : {x: RADIUS + 8, y: 4.5};
        Dom.svg("text", beside, g, title(genome, frame, node));
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
    parent.dataset.wide = String(width > parent.clientWidth);
    const mark = (all, on) => all.forEach((g, i) => g.classList.toggle("on", i === on));
    return {weigh, markWire: (e) => mark(wires, e), markNode: (node) => mark(nodes, node)};
  }

  return {draw, title};
})();
