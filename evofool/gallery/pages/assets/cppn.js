"use strict";
// CPPNs drawn in the page, with the arithmetic of the renderer whose pictures the network was shown.
// A genome is {a, s, t, w}: the activation of every node (inputs first, then outputs), and source, sink and weight of
// every connection. A frame says how it becomes a picture: {shape: [C, H, W], xy: "unit" | "pixels", colour}.
const Cppn = (() => {
  const INPUTS = ["x", "y", "distance", "bias"];
  const NAMES = ["sin", "sigmoid", "gauss", "linear", "cos", "wedge"];
  const f = Math.fround;

  // The operations of kernels/rendering.py and kernels/functions.py. Each is rounded to float32 as there, so that not a
  // bit differs; tests/browser/test_parity.py compares both.
  const [S3, S5, S7, S9] = [-0.16666657, 0.008333017, -0.00019806615, 2.6000548e-06].map(f);
  const [E3, E4, E5, E6] = [0.16666514, 0.041666187, 0.00836959, 0.0013951703].map(f);
  const TURN = 2 * Math.PI, PER_TURN = 1 / TURN, PI = f(Math.PI), FAR = 1e8, ROUND = 1.5 * 2 ** 52;
  const PER_LN2 = f(1 / Math.log(2)), LN2 = f(0.693359375), LN2_REST = f(-2.12194440e-4), ROUND_F = 1.5 * 2 ** 23;
  // exp is defined within ±EXP_LIMIT; a Gauss curve is 0 where its square is EXP_CUTOFF or more.
  const EXP_LIMIT = 87, EXP_CUTOFF = 40;
  const POWERS = Float32Array.from({length: 253}, (_, i) => 2 ** (i - 126));

  const within = (v, bound) => Math.min(Math.max(v, -bound), bound);

  /** Returns the sine of a double. */
  function sine(angle) {
    const rest = f(angle - (angle * PER_TURN + ROUND - ROUND) * TURN), half = Math.abs(rest);
    const x = Math.min(half, f(PI - half)), u = f(x * x);
    const p = f(f(f(f(f(f(S9 * u) + S7) * u) + S5) * u) + S3), value = f(f(f(p * u) * x) + x);
    return rest < 0 ? -value : value;
  }

  /** Returns e to the power of a float32 within ±87. */
  function exp(v) {
    const n = f(f(v * PER_LN2) + ROUND_F) - ROUND_F;
    const r = f(f(v - f(n * LN2)) - f(n * LN2_REST));
    const p = f(f(f(f(f(f(f(f(E6 * r) + E5) * r) + E4) * r) + E3) * r) + 0.5);
    return f(f(f(f(f(p * r) + 1) * r) + 1) * POWERS[n + 126]);
  }

  /** Activations, in the order of their names, in float32. */
  const SINGLE = [
    (v) => sine(within(v, FAR)),
    (v) => f(f(2 / f(1 + exp(within(-v, EXP_LIMIT)))) - 1),
    (v) => f(v * v) < EXP_CUTOFF ? exp(-f(v * v)) : 0,
    (v) => f(within(v, 3) / 3),
    (v) => sine(within(v, FAR) + Math.PI / 2),
    (v) => f(f(Math.min(Math.abs(v), 3) / 1.5) - 1),
  ];
  /** The same in doubles, for windows so small that float32 has too few digits. */
  const DOUBLE = [
    Math.sin, (v) => 2 / (1 + Math.exp(-v)) - 1, (v) => Math.exp(-v * v), (v) => within(v, 3) / 3, Math.cos,
    (v) => Math.min(Math.abs(v), 3) / 1.5 - 1,
  ];

  /** Returns the JSON of a genome's file as {a, s, t, w}. */
  function compact(file) {
    const column = (key) => file.connections.map((connection) => connection[key]);
    return {
      a: file.nodes.map((node) => Math.max(0, NAMES.indexOf(node.activation))),
      s: column("from"), t: column("to"), w: column("weight"),
    };
  }

  /** Returns the length of the longest path from an input to every node: 0 for inputs, 1 where no path leads. */
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

  /** Returns for every node whether it is on a path to one of `ends`, these included. */
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

  /** Returns a program that computes the nodes `ends`: the nodes before them in order, each with its connections. */
  function compile(genome, ends) {
    const level = levels(genome), needed = feeding(genome, ends);
    const into = new Map();
    genome.t.forEach((sink, e) => {
      if (!into.has(sink)) into.set(sink, []);
      into.get(sink).push({number: e, source: genome.s[e], weight: f(genome.w[e])});
    });
    const order = genome.a.map((_, node) => node).filter((node) => node >= INPUTS.length && needed[node]);
    order.sort((a, b) => level[a] - level[b] || a - b);
    const steps = order.map((node) => ({
      node, activation: genome.a[node], edges: (into.get(node) || []).sort((a, b) => a.source - b.source),
    }));
    return {steps, ends, cost: steps.reduce((sum, step) => sum + 6 + step.edges.length, 0)};
  }

  /** Returns x, y, distance and bias at the pixels of rows `from` to `to` of a picture of `w` × `h` pixels. It shows a
   * window of the image, {x, y, width, height} in the image's pixels; small windows get doubles. */
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

  /** Returns the values of a step's node at every pixel, from `values` of the nodes before it. */
  function output({activation, edges}, values) {
    const Numbers = values[0].constructor, size = values[0].length, deep = Numbers === Float64Array;
    const total = new Numbers(size);
    for (const {source, weight} of edges) {
      const from = values[source];
      if (deep) for (let i = 0; i < size; i++) total[i] += from[i] * weight;
      else for (let i = 0; i < size; i++) total[i] = f(total[i] + f(from[i] * weight));
    }
    const activate = (deep ? DOUBLE : SINGLE)[activation];
    for (let i = 0; i < size; i++) total[i] = activate(total[i]);
    return total;
  }

  /** Returns the values of a program's ends at every pixel, in [−1, 1]. */
  function evaluate(program, inputs) {
    const values = [...inputs];
    for (const step of program.steps) values[step.node] = output(step, values);
    return program.ends.map((end) => values[end]);
  }

  const half = (v) => f(f(v + 1) * 0.5);
  const byte = (v) => Math.trunc(f(f(v * 255) + 0.5));
  /** Returns how far a channel is from grey at a hue (0…6). */
  const wheel = (turn, middle) => within(f(Math.abs(f(turn - middle)) - 1.5), 0.5);

  /** Writes values as RGBA bytes. */
  function paint(values, colour, bytes) {
    const size = values[0].length;
    for (let i = 0; i < size; i++) {
      let r, g, b;
      if (colour === "grey") r = g = b = Math.abs(values[0][i]);
      else if (colour === "signed") r = g = b = half(values[0][i]);
      else if (colour === "rgb") { r = half(values[0][i]); g = half(values[1][i]); b = half(values[2][i]); }
      else {
        const turn = f(Math.abs(values[0][i]) * 6), s = f(Math.abs(values[1][i])), light = f(Math.abs(values[2][i]));
        const chroma = f(s - f(Math.abs(f(f(light * 2) - 1)) * s));
        r = f(light + f(wheel(turn, 3) * chroma));
        g = f(light - f(wheel(turn, 2) * chroma));
        b = f(light - f(wheel(turn, 4) * chroma));
      }
      bytes[4 * i] = byte(r);
      bytes[4 * i + 1] = byte(g);
      bytes[4 * i + 2] = byte(b);
      bytes[4 * i + 3] = 255;
    }
  }

  const whole = (frame) => ({x: 0, y: 0, width: frame.shape[2], height: frame.shape[1]});

  /** Returns RGBA bytes of a genome at any size: of the whole image, or of a window. */
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

  /** Returns an activation's value at p, for its curve. */
  function at(activation, p) {
    return SINGLE[activation](f(p));
  }

  return {
    INPUTS, NAMES, compact, levels, feeding, outputs, compile, coordinates, output, evaluate, paint, whole, render, at,
  };
})();
