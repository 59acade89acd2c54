"use strict";
// The genome of an opened tile as a graph whose weights can be changed, and its file to download.
const Weights = (() => {
  const {byId, element} = Dom;
  /** Keys of a genome's file that are no longer true once a weight is changed. */
  const PROVENANCE = ["sha256", "score", "class", "index", "generation"];

  /** Shows the graph of the view's genome, or of the ancestor that is looked at. `changed` is called after a weight or
   * the node that is looked at has changed. The view gets {graph, changed, turned, node}, and keeps in `turnings` what
   * was turned of each genome. */
  function show(view, changed) {
    const original = view.ancestor?.genome || view.genome;
    byId("network").hidden = !original;
    if (!original) return;
    const {frame, turnings} = view;
    if (!turnings.has(original)) turnings.set(original, {...original, w: [...original.w]});
    const turned = turnings.get(original);
    const graph = view.graph = Graph.draw(byId("graph"), original, frame, {
      chosen: choose,
      looked: (node) => {
        view.node = view.node === node ? undefined : node;
        graph.markNode(view.node ?? -1);
        changed();
      },
    });
    const select = byId("wire"), slider = byId("weight"), value = byId("value");
    const title = (node) => Graph.title(original, frame, node);
    select.replaceChildren(...original.s.map((source, edge) =>
      element("option", `${title(source)} → ${title(original.t[edge])}`, {value: edge})));

    function choose(edge) {
      select.value = String(edge);
      graph.markWire(edge);
      const reach = Math.max(4, 2 * Math.abs(original.w[edge]));
      slider.min = String(-reach);
      slider.max = String(reach);
      slider.value = String(turned.w[edge]);
      value.textContent = turned.w[edge].toFixed(2);
    }

    function compare() {
      view.changed = turned.w.some((weight, edge) => weight !== original.w[edge]);
      view.turned = view.changed ? turned : null;
    }

    function apply() {
      compare();
      graph.weigh(turned.w);
      changed();
      offer(view, original, turned);
    }

    select.onchange = () => choose(Number(select.value));
    slider.oninput = () => {
      turned.w[Number(select.value)] = Number(slider.value);
      value.textContent = Number(slider.value).toFixed(2);
      apply();
    };
    byId("reset").onclick = () => {
      turned.w.splice(0, turned.w.length, ...original.w);
      apply();
      choose(Number(select.value));
    };
    if (original.s.length) choose(0);
    select.parentElement.hidden = !original.s.length;
    graph.markWire(-1);
    compare();
    if (view.changed) graph.weigh(turned.w);
    offer(view, original, turned);
  }

  /** Lets the link download the genome with its present weights. */
  function offer(view, original, turned) {
    const {tile} = view, link = byId("download");
    link.hidden = Boolean(view.ancestor) || !tile.genome;
    if (link.hidden) return;
    const file = structuredClone(tile.genome);
    file.connections.forEach((connection, edge) => {
      // A weight that was not changed keeps the digits it has in the file.
      if (Math.fround(turned.w[edge]) !== Math.fround(original.w[edge])) connection.weight = turned.w[edge];
    });
    if (view.changed) for (const key of PROVENANCE) delete file[key];
    if (view.url) URL.revokeObjectURL(view.url);
    view.url = URL.createObjectURL(new Blob([`${JSON.stringify(file, null, 1)}\n`], {type: "application/json"}));
    link.href = view.url;
    link.download = view.changed ? tile.changed[0] : `${tile.stem}.json`;
    link.textContent = view.changed ? "download the changed genome" : "download the genome";
  }

  return {show};
})();
