"use strict";
// A picture looked at closely: to zoom into, with all that the network sees in it, and its genome, whose weights can be
// turned while the network watches.
const Closeup = (() => {
  const {byId} = Dom, {frame, kind, classes, target} = Setup;
  const dialog = byId("closer"), stage = Stage.on(byId("stage"));
  const ZOOM = 1.6, STEP = 60;

  /** What is open, or null: {genome, frame, turnings, tile, turned, changed, node, from, best, looking, again}. The
   * network's first guess is `best`, once it has looked. */
  let view = null;

  /** The genome as it is drawn now, with its turned weights. */
  const current = () => {
    const {a, p, s, t, w} = view.turned || view.genome;
    return {a, p, s, t, w: w.map(Math.fround)};
  };

  /** Opens a genome; the focus goes back to `from` afterwards. */
  function open(genome, from) {
    view = {genome, frame, turnings: new Map(), tile: {}, from};
    if (!dialog.open) dialog.showModal();
    Weights.show(view, redraw);
    redraw(true);
  }

  function redraw(whole = false) {
    delete view.best;
    const seen = Painter.native(current()), canvas = byId("turning");
    stage.show({frame, genome: current(), node: view.node, whole});
    Object.assign(canvas, {width: seen.width, height: seen.height});
    canvas.getContext("2d").putImageData(seen, 0, 0);
    canvas.classList.add("hard");
    byId("note").textContent = view.node === undefined
      ? `Drawn anew at any size: drag, wheel or pinch. The network sees ${frame.shape[2]}\u00a0×\u00a0${frame.shape[1]} pixels of it.`
      : `What ${Graph.title(view.genome, frame, view.node)} sees: black −1, white 1. Click it again to come back.`;
    score();
  }

  /** Has the network look; of changes while it looks the last one counts. */
  async function score() {
    const opened = view;
    if (opened.looking) { opened.again = true; return; }
    opened.looking = true;
    const genome = current(), [scores] = await Judges.score([genome], {urgent: true});
    opened.looking = false;
    if (view !== opened) return;
    byId("top").replaceChildren(...Guesses.lines(scores, scores.length, Nursery.aim()));
    const [k] = Guesses.order(scores);
    byId("name").replaceChildren(Dom.isolated(Format.className(classes[k])));
    byId("said").replaceChildren(Dom.element("b", Format.percent(scores[k])), ` for ${target}`);
    dialog.dataset.scored = "true";
    view.best = k;
    if (opened.again) { opened.again = false; score(); }
  }

  /** Returns the file of the genome, and a name for it. */
  function file() {
    const looked = view.best !== undefined, name = looked ? `${target}-${classes[view.best]}` : target;
    const provenance = looked ? {target, class: classes[view.best], index: view.best} : {target};
    return [Genomes.write(current(), frame, provenance), name.replace(/[^\w-]+/g, "-")];
  }

  function download(blob, name) {
    const address = URL.createObjectURL(blob), link = Dom.element("a", undefined, {href: address, download: name});
    link.click();
    setTimeout(() => URL.revokeObjectURL(address), 10_000);
  }

  byId("save").addEventListener("click", () => {
    const [text, name] = file();
    download(new Blob([text], {type: "application/json"}), `${name}.json`);
  });
  byId("picture").addEventListener("click", () => {
    const side = 1024, scale = side / Math.max(frame.shape[1], frame.shape[2]), canvas = Dom.element("canvas");
    canvas.width = Math.round(frame.shape[2] * scale);
    canvas.height = Math.round(frame.shape[1] * scale);
    const bytes = Cppn.render(current(), frame, canvas.width, canvas.height);
    canvas.getContext("2d").putImageData(new ImageData(bytes, canvas.width, canvas.height), 0, 0);
    const [, name] = file();
    canvas.toBlob((blob) => download(blob, `${name}.png`));
  });
  byId("share").addEventListener("click", () => {
    const address = `${location.href.split("#")[0]}#g=${Genomes.toLink(current(), kind.outputs)}`;
    history.replaceState(null, "", address);
    const answer = (words) => {
      byId("share").textContent = words;
      setTimeout(() => { byId("share").textContent = "Copy link"; }, 2500);
    };
    const copying = navigator.clipboard?.writeText(address);
    if (copying) copying.then(() => answer("Copied"), () => answer("It is in the address bar"));
    else answer("It is in the address bar");
  });
  byId("parent").addEventListener("click", () => {
    const genome = current();
    dialog.close();
    Breeding.from([genome]);
  });

  byId("in").addEventListener("click", () => stage.zoom(ZOOM));
  byId("out").addEventListener("click", () => stage.zoom(1 / ZOOM));
  byId("fit").addEventListener("click", () => stage.whole());
  byId("close").addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
  dialog.addEventListener("close", () => {
    const from = view?.from;
    view = null;
    delete dialog.dataset.scored;
    if (from?.isConnected) from.focus();
    else Nursery.focus();
  });
  const KEYS = {"+": () => stage.zoom(ZOOM), "=": () => stage.zoom(ZOOM), "-": () => stage.zoom(1 / ZOOM), 0: () => stage.whole()};
  const MOVES = {ArrowLeft: [STEP, 0], ArrowRight: [-STEP, 0], ArrowUp: [0, STEP], ArrowDown: [0, -STEP]};
  dialog.addEventListener("keydown", (event) => {
    const {target: on, key} = event;
    if (/^(INPUT|SELECT)$/.test(on.tagName) || Arrows.modified(event)) return;
    if (on === byId("stage") && MOVES[key]) stage.pan(...MOVES[key]);
    else if (KEYS[key]) KEYS[key]();
    else return;
    event.preventDefault();
  });

  return {open};
})();
