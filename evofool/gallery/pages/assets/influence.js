"use strict";
// Which parts of a CPPN its picture depends on.
const Influence = (() => {
  /** Longest side, in pixels, of the picture that is looked at. */
  const MAX_SIDE = 32;
  /** Largest number of nodes computed, times pixels, and shortest side; below it only paths are looked at. */
  const MAX_WORK = 6e7, MIN_SIDE = 8;

  /** Returns {nodes, edges}: for each whether the picture would be another without it. Without a connection its sink
   * gets nothing of its source; without a node, nothing gets anything of it. Outputs are the picture's colours
   * themselves, and always count. */
  function of(genome, frame) {
    const [channels, height, width] = frame.shape, ends = Cppn.outputs(channels);
    const program = Cppn.compile(genome, ends), feeding = Cppn.feeding(genome, ends);
    const trials = genome.a.length + genome.s.length;
    const side = Math.min(MAX_SIDE, Math.floor(Math.sqrt(MAX_WORK / (trials * Math.max(1, program.cost)))));
    if (side < MIN_SIDE) return {nodes: feeding, edges: genome.t.map((sink) => feeding[sink])};
    const scale = Math.min(1, side / Math.max(height, width));
    const w = Math.max(1, Math.round(width * scale)), h = Math.max(1, Math.round(height * scale));
    const values = Cppn.coordinates(frame, Cppn.whole(frame), w, h, 0, h);
    for (const step of program.steps) values[step.node] = Cppn.output(step, values);

    const painted = (all) => {
      const bytes = new Uint8ClampedArray(4 * w * h);
      Cppn.paint(ends.map((end) => all[end]), frame.colour, bytes);
      return bytes;
    };
    const picture = painted(values), same = (a, b) => a.every((value, i) => value === b[i]);

    /** Returns whether the picture is another one where a node has other values. What doesn't depend on it is kept. */
    function matters(node, replaced) {
      const now = [...values], moved = new Set();
      const put = (at, array) => { if (!same(array, values[at])) { now[at] = array; moved.add(at); } };
      put(node, replaced);
      for (const step of program.steps) {
        if (step.node !== node && step.edges.some(({source}) => moved.has(source))) put(step.node, Cppn.output(step, now));
      }
      return ends.some((end) => moved.has(end)) && !same(painted(now), picture);
    }

    const steps = new Map(program.steps.map((step) => [step.node, step])), nothing = new Float32Array(w * h);
    const nodes = genome.a.map((_, node) => ends.includes(node) || (feeding[node] && matters(node, nothing)));
    const edges = genome.s.map((source, e) => {
      const sink = genome.t[e];
      if (!feeding[sink]) return false;
      const step = steps.get(sink), rest = step.edges.filter((edge) => edge.number !== e);
      return matters(sink, Cppn.output({...step, edges: rest}, values));
    });
    return {nodes, edges};
  }

  return {of};
})();
