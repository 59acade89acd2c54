"use strict";
// CPPNs in the page: the arithmetic of the renderer whose pictures the network was shown, so that both agree.
// A genome is {a, s, t, w}: the activation of every node (inputs first, then outputs), and source, sink and weight of
// every connection. A frame says how it becomes a picture: {shape: [C, H, W], xy: "unit" | "pixels", colour}.
const Cppn = (() => {
  const INPUTS = ["x", "y", "distance", "bias"];
  const NAMES = ["sin", "sigmoid", "gauss", "linear", "cos", "wedge"];
  const f = Math.fround;

  // On float32 arrays: a store rounds, so that every step is one rounded operation, as in the renderer.
  const ACTIVATIONS = [
    (v) => { for (let i = 0; i < v.length; i++) v[i] = Math.sin(v[i]); },
    (v) => { for (let i = 0; i < v.length; i++) v[i] = f(f(1 / f(f(Math.exp(-v[i])) + 1)) * 2) - 1; },
    (v) => { for (let i = 0; i < v.length; i++) v[i] = Math.exp(-f(v[i] * v[i])); },
    (v) => { for (let i = 0; i < v.length; i++) v[i] = Math.max(-3, Math.min(3, v[i])) / 3; },
    (v) => { for (let i = 0; i < v.length; i++) v[i] = Math.cos(v[i]); },
    (v) => { for (let i = 0; i < v.length; i++) v[i] = f(Math.min(3, Math.abs(v[i])) / 1.5) - 1; },
  ];

  /** A genome file's JSON as {a, s, t, w}. */
  function compact(file) {
    const column = (key) => file.connections.map((connection) => connection[key]);
    return {
      a: file.nodes.map((node) => Math.max(0, NAMES.indexOf(node.activation))),
      s: column("from"), t: column("to"), w: column("weight"),
    };
  }

  /** Longest path to every node from an input, which is 0; a node that nothing reaches is 1. */
  function levels(genome) {
    const level = genome.a.map((_, node) => (node < INPUTS.length ? 0 : 1));
    let moved = true;
    for (let round = 0; moved && round <= genome.a.length; round++) {
      moved = false;
      genome.s.forEach((source, e) => {
        const sink = genome.t[e];
        if (level[sink] <= level[source]) { level[sink] = level[source] + 1; moved = true; }
      });
    }
    return level;
  }

  /** For every node whether it lies on a path to one of `ends` (they do). */
  function feeding(genome, ends) {
    const needed = genome.a.map((_, node) => ends.includes(node));
    let grown = true;
    while (grown) {
      grown = false;
      genome.t.forEach((sink, e) => {
        if (needed[sink] && !needed[genome.s[e]]) { needed[genome.s[e]] = true; grown = true; }
      });
    }
    return needed;
  }

  const outputs = (count) => Array.from({length: count}, (_, i) => INPUTS.length + i);

  /** What computes the nodes `ends`: the nodes before them in order, each with its connections by source. */
  function compile(genome, ends) {
    const level = levels(genome), needed = feeding(genome, ends);
    const into = new Map();
    genome.t.forEach((sink, e) => {
      if (!into.has(sink)) into.set(sink, []);
      into.get(sink).push({source: genome.s[e], weight: f(genome.w[e])});
    });
    const order = genome.a.map((_, node) => node).filter((node) => node >= INPUTS.length && needed[node]);
    order.sort((a, b) => level[a] - level[b] || a - b);
    const steps = order.map((node) => ({
      node, activation: genome.a[node], edges: (into.get(node) || []).sort((a, b) => a.source - b.source),
    }));
    return {steps, ends, cost: steps.reduce((sum, step) => sum + 6 + step.edges.length, 0)};
  }

  /** x, y, distance and bias at the pixels of rows `from` to `to` of a picture `w` wide and `h` high of a window of the
   * image, {x, y, width, height} in its own pixels. Deep windows need the digits of doubles. */
  function coordinates(frame, view, w, h, from, to) {
    const [, height, width] = frame.shape, half = Math.min(height, width) / 2;
    const Numbers = view.width < width / 300 ? Float64Array : Float32Array;
    const inputs = INPUTS.map(() => new Numbers((to - from) * w));
    for (let row = from, i = 0; row < to; row++) {
      const y = view.y + ((row + 0.5) / h) * view.height, unitY = (y - height / 2) / half;
      for (let column = 0; column < w; column++, i++) {
        const x = view.x + ((column + 0.5) / w) * view.width, unitX = (x - width / 2) / half;
        inputs[0][i] = frame.xy === "pixels" ? x - 0.5 : unitX;
        inputs[1][i] = frame.xy === "pixels" ? y - 0.5 : unitY;
        inputs[2][i] = Math.hypot(unitX, unitY);
        inputs[3][i] = 1;
      }
    }
    return inputs;
  }

  /** The values of the program's ends at every pixel, in [−1, 1]. */
  function evaluate(program, inputs) {
    const Numbers = inputs[0].constructor, size = inputs[0].length;
    const values = [...inputs];
    for (const {node, activation, edges} of program.steps) {
      const total = new Numbers(size);  // each product is added before it is rounded, as evofool does
      for (const {source, weight} of edges) {
        const from = values[source];
        for (let i = 0; i < size; i++) total[i] += from[i] * weight;
      }
      ACTIVATIONS[activation](total);
      values[node] = total;
    }
    return program.ends.map((end) => values[end]);
  }

  const clamp = (v) => Math.max(0, Math.min(1, v));

  /** Values as RGBA bytes. */
  function paint(values, colour, bytes) {
    const size = values[0].length;
    for (let i = 0; i < size; i++) {
      let r, g, b;
      if (colour === "grey") r = g = b = Math.abs(values[0][i]);
      else if (colour === "signed") r = g = b = (values[0][i] + 1) / 2;
      else if (colour === "rgb") [r, g, b] = [values[0][i], values[1][i], values[2][i]].map((v) => (v + 1) / 2);
      else {
        const hue = 6 * Math.abs(values[0][i]), light = Math.abs(values[2][i]);
        const chroma = (1 - Math.abs(2 * light - 1)) * Math.abs(values[1][i]);
        const channel = (offset) => light + chroma * (clamp(Math.abs(((hue + offset) % 6) - 3) - 1) - 0.5);
        r = channel(0); g = channel(4); b = channel(2);
      }
      bytes[4 * i] = Math.floor(clamp(r) * 255 + 0.5);
      bytes[4 * i + 1] = Math.floor(clamp(g) * 255 + 0.5);
      bytes[4 * i + 2] = Math.floor(clamp(b) * 255 + 0.5);
      bytes[4 * i + 3] = 255;
    }
  }

  const whole = (frame) => ({x: 0, y: 0, width: frame.shape[2], height: frame.shape[1]});

  /** RGBA bytes of a genome at any size; the whole image unless a view is given. */
  function render(genome, frame, w, h, view = whole(frame)) {
    const bytes = new Uint8ClampedArray(4 * w * h), band = Math.max(1, Math.floor(8192 / w));
    const program = compile(genome, outputs(frame.shape[0]));
    for (let row = 0; row < h; row += band) {
      const end = Math.min(h, row + band);
      const values = evaluate(program, coordinates(frame, view, w, h, row, end));
      paint(values, frame.colour, bytes.subarray(4 * row * w, 4 * end * w));
    }
    return bytes;
  }

  /** The activation's value at p, for its curve. */
  function at(activation, p) {
    const value = new Float32Array([p]);
    ACTIVATIONS[activation](value);
    return value[0];
  }

  return {INPUTS, NAMES, compact, levels, feeding, outputs, compile, coordinates, evaluate, paint, whole, render, at};
})();
