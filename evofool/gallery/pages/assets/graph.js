"use strict";
// A CPPN drawn as a graph: inputs on the left, colours on the right, every node with its activation's curve.
const Graph = (() => {
  const SVG = "http://www.w3.org/2000/svg", RADIUS = 19, WIDE = 102, HIGH = 58, EDGE = 95;

  function make(name, attributes, parent) {
    const element = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    if (parent) parent.append(element);
    return element;
  }

  const outputNames = (frame) => frame.colour === "grey" ? ["grey"]
    : frame.colour === "hsl" ? ["hue", "saturation", "lightness"] : ["red", "green", "blue"];

  /** What a node is called. */
  function title(genome, frame, node) {
    const own = [...Cppn.INPUTS, ...outputNames(frame)];
    return own[node] || `${Cppn.NAMES[genome.a[node]]} ${node}`;
  }

  /** Columns by level, rows so that lines cross little: {x, y} of every node. */
  function layout(genome, frame) {
    const level = Cppn.levels(genome), count = frame.shape[0], ends = Cppn.outputs(count);
    const hidden = genome.a.map((_, node) => node).filter((node) => node >= Cppn.INPUTS.length + count);
    const last = Math.max(1, ...hidden.map((node) => level[node] + 1));
    const column = (node) => (node < Cppn.INPUTS.length ? 0 : ends.includes(node) ? last : Math.min(level[node], last - 1));
    const columns = Array.from({length: last + 1}, () => []);
    genome.a.forEach((_, node) => columns[column(node)].push(node));
    const full = columns.filter((nodes) => nodes.length);
    const row = new Map();
    full.forEach((nodes) => nodes.forEach((node, i) => row.set(node, (i + 0.5) / nodes.length)));
    const beside = genome.a.map(() => []);
    genome.s.forEach((source, e) => { beside[genome.t[e]].push(source); beside[source].push(genome.t[e]); });
    for (let round = 0; round < 8; round++) {
      for (const nodes of full.slice(1, -1)) {
        const mean = (node) => beside[node].reduce((sum, other) => sum + row.get(other), 0) / beside[node].length;
        nodes.sort((a, b) => (beside[a].length ? mean(a) : row.get(a)) - (beside[b].length ? mean(b) : row.get(b)));
        nodes.forEach((node, i) => row.set(node, (i + 0.5) / nodes.length));
      }
    }
    const height = Math.max(...full.map((nodes) => nodes.length), 4) * HIGH;
    const place = new Map();
    full.forEach((nodes, c) => nodes.forEach((node) => place.set(node, {x: EDGE + c * WIDE, y: 12 + row.get(node) * height})));
    return {place, width: 2 * EDGE + (full.length - 1) * WIDE, height: height + 24};
  }

  function curve(activation) {
    const points = [];
    for (let i = 0; i <= 24; i++) {
      const p = -3.2 + (6.4 * i) / 24;
      points.push(`${((p / 3.2) * 12).toFixed(1)} ${(-9.5 * Cppn.at(activation, p)).toFixed(1)}`);
    }
    return `M${points.join("L")}`;
  }

  /** Draw into `place`; `chosen` is called with a connection's number, `looked` with a node's. */
  function draw(place, genome, frame, {chosen, looked}) {
    const {place: at, width, height} = layout(genome, frame);
    const svg = make("svg", {width, height, viewBox: `0 0 ${width} ${height}`, role: "group",
      "aria-label": `A graph of ${genome.a.length} nodes and ${genome.s.length} connections`});
    const used = Cppn.feeding(genome, Cppn.outputs(frame.shape[0]));
    const largest = Math.max(1e-9, ...genome.w.map(Math.abs));
    const wires = genome.s.map((source, e) => {
      const from = at.get(source), to = at.get(genome.t[e]);
      const x1 = from.x + RADIUS, x2 = to.x - RADIUS, bend = Math.max(26, (x2 - x1) * 0.45);
      const d = `M${x1} ${from.y}C${x1 + bend} ${from.y} ${x2 - bend} ${to.y} ${x2} ${to.y}`;
      const g = make("g", {class: used[genome.t[e]] ? "wire" : "wire idle", "data-e": e}, svg);
      make("path", {class: "edge", d}, g);
      make("path", {class: "grip", d}, g).addEventListener("click", () => chosen(e));
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
      const {x, y} = at.get(node), own = node < Cppn.INPUTS.length + frame.shape[0];
      const input = node < Cppn.INPUTS.length;
      const g = make("g", {class: used[node] || input ? "node" : "node idle", transform: `translate(${x} ${y})`}, svg);
      make("title", {}, g).textContent = title(genome, frame, node);
      make("circle", {class: "body", r: RADIUS}, g);
      if (!input) make("path", {class: "curve", d: curve(activation)}, g);
      if (own) {
        const words = make("text", input ? {x: -RADIUS - 8, y: 4.5, "text-anchor": "end"} : {x: RADIUS + 8, y: 4.5}, g);
        words.textContent = title(genome, frame, node);
      }
      for (const [name, value] of [["tabindex", 0], ["role", "button"], ["aria-label", title(genome, frame, node)]]) g.setAttribute(name, value);
      g.addEventListener("click", () => looked(node));
      g.addEventListener("keydown", (event) => {
        if (event.key !== "Enter" && event.key !== " ") return;
        event.preventDefault();
        looked(node);
      });
      return g;
    });
    place.replaceChildren(svg);
    place.scrollLeft = 0;
    place.dataset.wide = String(width > place.clientWidth);
    const mark = (all, on) => all.forEach((g, i) => g.classList.toggle("on", i === on));
    return {weigh, markWire: (e) => mark(wires, e), markNode: (node) => mark(nodes, node)};
  }

  return {draw, title};
})();
