"use strict";
// How CPPNs are made and varied in the page: the operators of encodings/cppn/encoding.py and kernels/graph.py, which draw
// the same random numbers in the same order. tests/browser/test_variation_parity.py compares both.
//
// A genome is {a, p, s, t, w}: activation and position of every node, and source, sink and weight of every connection.
// A kind says how genomes are made: {outputs, settings, attempts, slightly}, as breed_page.py writes it.
const Variation = (() => {
  const INPUTS = Cppn.INPUTS.length, EMPTY = -1;
  const f = Math.fround;
  const within = (value, limit) => Math.min(Math.max(value, -limit), limit);

  const choices = (kind) => kind.settings.functions.map((name) => Cppn.NAMES.indexOf(name));

  /** Returns a genome whose inputs are all connected to all outputs, with random weights and activations. */
  function random(kind, stream) {
    const {start, limit} = kind.settings, outputs = Cppn.outputs(kind.outputs);
    const genome = {a: Array(INPUTS).fill(0), p: Array(INPUTS).fill(0), s: [], t: [], w: []};
    for (const output of outputs) {
      genome.a.push(stream.one(choices(kind)));
      genome.p.push(1);
      for (let input = 0; input < INPUTS; input++) {
        genome.s.push(input);
        genome.t.push(output);
        genome.w.push(f(within(start * stream.normal(), limit)));
      }
    }
    return genome;
  }

  /** Returns a mutated copy: first the structure changes, then weights and activations. */
  function mutate(parent, kind, stream) {
    const {rounds, weight_rate, activation_rate} = kind.settings;
    return mutated(parent, kind, {rounds, weightRate: weight_rate, activationRate: activation_rate}, stream);
  }

  /** Returns a copy with few changes, however large the genome is; `keepsGraph` says whether its graph stays. */
  function mutateSlightly(parent, kind, keepsGraph, stream) {
    const {weights, activations} = kind.slightly;
    return mutated(parent, kind, {
      rounds: keepsGraph ? 0 : kind.settings.rounds,
      weightRate: Math.min(1, weights / Math.max(1, parent.s.length)),
      activationRate: Math.min(1, activations / (parent.a.length - INPUTS)),
    }, stream);
  }

  /** Returns a child of two: the graph of the first, and what the second has, too, from either of them, as in NEAT
   * (Stanley & Miikkulainen 2002, section 3.2). Hidden nodes are the same where their positions are: each was drawn
   * when its node was made. CPPNs are not crossed in runs; here it lets a person mix two pictures. */
  function cross(first, second, kind, stream) {
    const fixed = INPUTS + kind.outputs, child = structuredClone(first);
    const name = (genome, node) => node < fixed ? node : `at ${genome.p[node]}`;
    const wire = (genome, edge) => `${name(genome, genome.s[edge])} to ${name(genome, genome.t[edge])}`;
    const nodes = new Map(second.a.map((activation, node) => [name(second, node), activation]));
    const wires = new Map(second.w.map((weight, edge) => [wire(second, edge), weight]));
    for (let node = INPUTS; node < child.a.length; node++) {
      const other = nodes.get(name(first, node));
      if (other !== undefined && stream.uniform() < 0.5) child.a[node] = other;
    }
    for (let edge = 0; edge < child.w.length; edge++) {
      const other = wires.get(wire(first, edge));
      if (other !== undefined && stream.uniform() < 0.5) child.w[edge] = other;
    }
    return child;
  }

  function mutated(parent, kind, {rounds, weightRate, activationRate}, stream) {
    const {settings, outputs} = kind, genome = opened(parent, settings), activations = choices(kind);
    for (let round = 0; round < rounds; round++) {
      if (stream.uniform() < settings.add_connection) {
        addConnection(genome, within(settings.start * stream.normal(), settings.limit), kind.attempts, stream);
      }
      if (stream.uniform() < settings.delete_connection) deleteConnection(genome, stream);
      if (stream.uniform() < settings.add_node) addNode(genome, stream.one(activations), stream);
      if (stream.uniform() < settings.delete_node) deleteNode(genome, INPUTS + outputs, stream);
    }
    changeWeights(genome, weightRate, settings, stream);
    for (let node = INPUTS; node < genome.a.length; node++) {
      if (genome.a[node] !== EMPTY && stream.uniform() < activationRate) genome.a[node] = stream.one(activations);
    }
    return closed(genome);
  }

  /** Connects two unconnected nodes, from the smaller position to the larger; a genome where none fits stays. */
  function addConnection(genome, weight, attempts, stream) {
    const slot = genome.s.indexOf(EMPTY);
    if (slot < 0) return;
    for (let attempt = 0; attempt < attempts; attempt++) {
      let a = any(genome.a, 0, stream), b = any(genome.a, INPUTS, stream);
      if (genome.p[a] > genome.p[b]) [a, b] = [b, a];
      if (genome.p[a] < genome.p[b] && !genome.s.some((source, edge) => source === a && genome.t[edge] === b)) {
        genome.s[slot] = a;
        genome.t[slot] = b;
        genome.w[slot] = f(weight);
        return;
      }
    }
  }

  function removeConnection(genome, slot) {
    genome.s[slot] = genome.t[slot] = EMPTY;
    genome.w[slot] = 0;
  }

  function deleteConnection(genome, stream) {
    const slot = any(genome.s, 0, stream);
    if (slot >= 0) removeConnection(genome, slot);
  }

  /** Puts a node on a random connection; both halves get the old weight. */
  function addNode(genome, activation, stream) {
    const edge = any(genome.s, 0, stream), slot = genome.s.indexOf(EMPTY), node = genome.a.indexOf(EMPTY);
    if (edge < 0 || slot < 0 || node < 0) return;
    const before = genome.p[genome.s[edge]], after = genome.p[genome.t[edge]];
    const middle = before + (after - before) * stream.between(0.25, 0.75);
    if (!(before < middle && middle < after)) return;
    genome.a[node] = activation;
    genome.p[node] = middle;
    genome.s[slot] = node;
    genome.t[slot] = genome.t[edge];
    genome.w[slot] = genome.w[edge];
    genome.t[edge] = node;
  }

  /** Removes a random hidden node with its connections. */
  function deleteNode(genome, kept, stream) {
    const node = any(genome.a, kept, stream);
    if (node < 0) return;
    genome.a[node] = EMPTY;
    genome.p[node] = 0;
    genome.s.forEach((source, slot) => {
      if (source === node || genome.t[slot] === node) removeConnection(genome, slot);
    });
  }

  /** Changes each weight with a probability by a normal step. A child's steps have a size of its own. */
  function changeWeights(genome, rate, {sigma, spread, limit}, stream) {
    const scale = sigma * spread ** stream.between(-1, 1);
    genome.s.forEach((source, slot) => {
      if (source !== EMPTY && stream.uniform() < rate) {
        genome.w[slot] = f(within(genome.w[slot] + scale * stream.normal(), limit));
      }
    });
  }

  /** Returns a random slot in use from `first` on, or −1 if there is none. */
  function any(slots, first, stream) {
    const used = [];
    for (let slot = first; slot < slots.length; slot++) if (slots[slot] !== EMPTY) used.push(slot);
    return used.length ? stream.one(used) : -1;
  }

  /** Returns a copy with free slots for as many nodes and connections as a genome can have. */
  function opened({a, p, s, t, w}, {max_nodes, max_connections}) {
    const slots = (values, count, free) => [...values, ...Array(count - values.length).fill(free)];
    return {
      a: slots(a, max_nodes, EMPTY), p: slots(p, max_nodes, 0),
      s: slots(s, max_connections, EMPTY), t: slots(t, max_connections, EMPTY), w: slots(w, max_connections, 0),
    };
  }

  /** Returns a copy without free slots. */
  function closed({a, p, s, t, w}) {
    const nodes = [...a.keys()].filter((node) => a[node] !== EMPTY), edges = [...s.keys()].filter((edge) => s[edge] !== EMPTY);
    const number = new Map(nodes.map((node, at) => [node, at]));
    return {
      a: nodes.map((node) => a[node]), p: nodes.map((node) => p[node]),
      s: edges.map((edge) => number.get(s[edge])), t: edges.map((edge) => number.get(t[edge])), w: edges.map((edge) => w[edge]),
    };
  }

  return {random, mutate, mutateSlightly, cross};
})();
