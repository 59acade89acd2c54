"use strict";
// Genomes in evofool's own file format (encodings/genome_file.py), and in links. What is read is checked as there; a
// check sum is not, since every picture is scored anew.
const Genomes = (() => {
  const INPUTS = Cppn.INPUTS.length, FORMAT = 2, MAX_WEIGHT = 1e30;
  /** The first byte of a link's genome, in case there will be another form. */
  const LINK = 1;

  /** Returns what output nodes are called in files. */
  const outputName = (output, count) => count === 1 ? "grey" : `colour${output}`;

  function demand(holds, words) {
    if (!holds) throw new Error(words);
  }

  /** Returns the genome of a file's text.
   *
   * Raises an Error with a sentence: the file holds none, or one that doesn't fit pictures of this frame. */
  function read(text, frame, settings) {
    let file;
    try { file = JSON.parse(text); } catch { demand(false, "This is no genome: expected a file as evofool writes it."); }
    demand(file?.encoding === "cppn", "This is no CPPN genome: expected a .json file as evofool writes it.");
    demand(file.format === FORMAT, `The genome has format ${String(file.format).slice(0, 20)}; this page reads ${FORMAT}.`);
    const channels = file.image_shape?.[0], colour = channels === 1 ? "grey" : file.colour;
    demand(channels === frame.shape[0] && colour === frame.colour && file.coordinates === frame.xy,
      `The genome draws in ${String(colour).slice(0, 20)} with ${String(file.coordinates).slice(0, 20)} coordinates; `
      + `pictures of this page have ${frame.colour} and ${frame.xy}.`);
    demand(Array.isArray(file.nodes) && Array.isArray(file.connections), "The genome lacks nodes or connections.");
    const fixed = INPUTS + channels, genome = {a: [], p: [], s: [], t: [], w: []};
    file.nodes.forEach((node, id) => {
      demand(node?.id === id, `Node ${id} of the genome must have id ${id}.`);
      const activation = id < INPUTS ? 0 : Cppn.NAMES.indexOf(node.activation);
      demand(activation >= 0, `Node ${id} of the genome has an unknown activation.`);
      genome.a.push(activation);
      genome.p.push(id < INPUTS ? 0 : id < fixed ? 1 : node.position);
    });
    for (const connection of file.connections) {
      demand(connection && typeof connection === "object", "A connection of the genome is damaged.");
      genome.s.push(connection.from);
      genome.t.push(connection.to);
      genome.w.push(typeof connection.weight === "number" ? Math.fround(connection.weight) : NaN);
    }
    check(genome, channels, settings);
    return genome;
  }

  /** Checks that a genome is a graph that can be drawn and varied. */
  function check({a, p, s, t, w}, outputs, {max_nodes, max_connections}) {
    demand(a.length <= max_nodes && s.length <= max_connections,
      `The genome has ${a.length} nodes and ${s.length} connections; at most ${max_nodes} and ${max_connections} are taken.`);
    demand(a.length >= INPUTS + outputs, `A genome needs ${INPUTS} inputs and ${outputs === 1 ? "1 output" : `${outputs} outputs`}.`);
    demand(a.every((activation) => activation < Cppn.NAMES.length), "The genome has an unknown activation.");
    demand(p.every(Number.isFinite) && w.every((weight) => Math.abs(weight) <= MAX_WEIGHT),
      "The genome has a weight or position that is no finite number.");
    const there = (node) => Number.isInteger(node) && node >= 0 && node < a.length;
    demand(s.every((source, edge) => there(source) && there(t[edge]) && t[edge] >= INPUTS),
      "The genome has a connection from or to a node that isn't there.");
    demand(s.every((source, edge) => p[source] < p[t[edge]]), "The genome has a connection that runs backwards.");
  }

  /** Returns the shortest decimal number that is this float32. */
  function shortest(value) {
    for (let digits = 1; digits < 9; digits++) {
      const short = Number(value.toPrecision(digits));
      if (Math.fround(short) === value) return short;
    }
    return Number(value.toPrecision(9));
  }

  /** Returns the text of a genome's file, which evofool reads. It has no check sum, so that evofool takes it as not
   * scored: a page's confidences differ from the record's in their last digits.
   *
   * provenance: What else the file tells: target, class, index. */
  function write(genome, frame, provenance) {
    const [channels] = frame.shape, fixed = INPUTS + channels;
    const nodes = genome.a.map((activation, id) => ({
      id,
      ...(id < INPUTS ? {name: Cppn.INPUTS[id]} : id < fixed ? {name: outputName(id - INPUTS, channels)} : {}),
      ...(id < INPUTS ? {} : {activation: Cppn.NAMES[activation]}),
      ...(id < fixed ? {} : {position: genome.p[id]}),
    }));
    const connections = genome.s.map((from, edge) => ({from, to: genome.t[edge], weight: shortest(genome.w[edge])}));
    const head = {
      format: FORMAT, encoding: "cppn", image_shape: frame.shape, coordinates: frame.xy, colour: frame.colour, ...provenance,
    };
    const lines = Object.entries(head).map(([key, value]) => `  ${JSON.stringify(key)}: ${JSON.stringify(value)}`);
    const rows = (items) => items.length ? `[\n${items.map((item) => `    ${JSON.stringify(item)}`).join(",\n")}\n  ]` : "[]";
    return `{\n${[...lines, `  "nodes": ${rows(nodes)}`, `  "connections": ${rows(connections)}`].join(",\n")}\n}\n`;
  }

  // Links: a byte for the form, for the outputs and for the number of nodes, two for that of connections; then activation
  // and position of every node (inputs have none, outputs no position), and source, sink and weight of every connection.

  /** Returns a genome as letters that can stand in an address. */
  function toLink({a, p, s, t, w}, outputs) {
    const fixed = INPUTS + outputs;
    const view = new DataView(new ArrayBuffer(5 + (a.length - INPUTS) + 8 * (a.length - fixed) + 6 * s.length));
    let at = 0;
    const byte = (value) => view.setUint8(at++, value);
    [LINK, outputs, a.length].forEach(byte);
    view.setUint16(at, s.length);
    at += 2;
    for (let node = INPUTS; node < a.length; node++) {
      byte(a[node]);
      if (node >= fixed) { view.setFloat64(at, p[node]); at += 8; }
    }
    s.forEach((source, edge) => {
      [source, t[edge]].forEach(byte);
      view.setFloat32(at, w[edge]);
      at += 4;
    });
    return btoa(String.fromCharCode(...new Uint8Array(view.buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  }

  /** Returns the genome of a link's letters. Raises as `read` does. */
  function fromLink(letters, frame, settings) {
    const genome = {a: Array(INPUTS).fill(0), p: Array(INPUTS).fill(0), s: [], t: [], w: []}, [channels] = frame.shape;
    let view, at = 0;
    try {
      const bytes = atob(letters.replace(/-/g, "+").replace(/_/g, "/"));
      view = new DataView(Uint8Array.from(bytes, (letter) => letter.charCodeAt(0)).buffer);
      const byte = () => view.getUint8(at++);
      const form = byte(), outputs = byte(), nodes = byte(), edges = view.getUint16(at);
      at += 2;
      demand(form === LINK, "other form");
      for (let node = INPUTS; node < nodes; node++) {
        genome.a.push(byte());
        const hidden = node >= INPUTS + outputs;
        genome.p.push(hidden ? view.getFloat64(at) : 1);
        if (hidden) at += 8;
      }
      for (let edge = 0; edge < edges; edge++) {
        genome.s.push(byte());
        genome.t.push(byte());
        genome.w.push(view.getFloat32(at));
        at += 4;
      }
      demand(at === view.byteLength, "more than a genome");
    } catch {
      demand(false, "The link holds no whole genome; copy all of it.");
    }
    demand(view.getUint8(1) === channels, "The link's genome is for another kind of pictures: grey or colour.");
    check(genome, channels, settings);
    return genome;
  }

  return {read, write, toLink, fromLink};
})();
