"use strict";
// A tile opened: its picture on the stage, and what is known of it.
const Viewer = (() => {
  const {byId, element, isolated} = Dom;
  const dialog = byId("closer"), stage = Stage.on(byId("stage"));
  /** Factor of one step of zooming, and pixels of one step sideways. */
  const ZOOM = 1.6, STEP = 60;

  /** What is open, or null:
   * {n, tile, source, mode, frame, genome, seen, before, ancestor, node, turned, turnings, changed, listed, without}. */
  let view = null;

  async function open(n) {
    const tile = Data.tiles[n], source = Data.sources[tile.s];
    const opened = view = {n, tile, source, mode: "seen"};
    if (!dialog.open) dialog.showModal();
    describe(tile, source);
    location.replace(`#${n}`);
    const [, seen] = await Promise.all([Data.load(n), Data.image(Grid.button(n).querySelector("img").src)]);
    const before = tile.before ? await Data.image(tile.before) : null;
    if (view !== opened) return;  // Another tile was opened meanwhile.
    const frame = source.frame || {shape: source.shape}, genome = tile.genome ? Cppn.compact(tile.genome) : null;
    Object.assign(view, {seen, before, frame, genome, ancestor: null, node: undefined, turned: null, turnings: new Map()});
    offerModes();
    Parts.show(view, () => { view.node = undefined; view.graph?.markNode(-1); paint(); });
    Lineage.show(view, (ancestor) => { if (view === opened) chooseAncestor(ancestor); });
    Weights.show(view, redraw);
    paint(true);
    if (!genome && tile.edits?.length) {
      const [x, y] = tile.edits[0], side = Math.max(frame.shape[1], frame.shape[2]);
      if (side > 64) stage.closeUp(x + 0.5, y + 0.5, side / 3);
    }
    dialog.dataset.ready = String(n);
  }

  // What is known of the tile

  function describe(tile, source) {
    const numbers = Grid.visible().map(Grid.numberOf), at = numbers.indexOf(view.n);
    byId("position").textContent = at < 0 ? "" : `${Format.count(at + 1)} of ${Format.count(numbers.length)}`;
    byId("previous").disabled = at <= 0;
    byId("next").disabled = at < 0 || at + 1 >= numbers.length;
    byId("name").replaceChildren(isolated(tile.n));
    byId("top").replaceChildren(...tile.top.map(([name, share]) => guess(name, share, name === tile.n)));
    byId("lineage").hidden = byId("network").hidden = byId("parts").hidden = true;
    describeScore();
    dialog.querySelector(".about").scrollTop = 0;
  }

  /** Says what is known of what is on the stage, the tile or one of its ancestors. Nobody has scored a genome whose
   * weights were turned: its figures are struck through, and the commands that are offered are for its download. */
  function describeScore() {
    const {tile, source, ancestor} = view, changed = Boolean(view.changed), score = ancestor ? ancestor.score : tile.c;
    const figure = element("b");
    figure.append(changed ? element("s", Format.confidence(score)) : Format.confidence(score));
    const whose = ancestor ? [" ", isolated(Format.className(ancestor.name)), ", an ancestor,"] : [];
    const hint = changed ? ", before its weights were turned" : score === null ? "; see below how to score it" : "";
    byId("said").replaceChildren(figure, ...whose, ` for ${source.target}${hint}`);
    byId("guesses").hidden = !tile.top.length || Boolean(ancestor);
    dialog.classList.toggle("turned", changed);
    const listed = ancestor || (changed ? "changed" : "tile");
    if (view.listed === listed) return;
    view.listed = listed;
    byId("more").replaceChildren(...facts(tile, source, ancestor).map(([name, value, measured = true]) => {
      const pair = element("div");
      pair.append(element("dt", name), element("dd", value, measured ? {class: "measured"} : {}));
      return pair;
    }));
    const commands = ancestor ? [] : changed ? tile.changed[1] : tile.commands;
    byId("commands").replaceChildren(...commands.map(command));
    byId("again").hidden = !commands.length && !ancestor;
    byId("fileless").hidden = !ancestor;
  }

  function guess(name, share, current) {
    const row = element("li"), label = element("b"), bar = element("i");
    label.append(isolated(name));
    label.title = name;
    bar.style.setProperty("--share", `${100 * share}%`);
    row.append(label, element("span", Format.percent(share)), bar);
    row.classList.toggle("current", current);
    return row;
  }

  /** Returns the facts that are known of a tile, or of its ancestor, of which less is recorded: names and values, with
   * false behind what holds however its weights are turned. */
  function facts(tile, source, ancestor) {
    const pairs = ancestor ? [] : [...tile.more], {g, e, z} = ancestor ? recorded(ancestor, tile) : tile;
    if (g !== null) pairs.push(["Generation", Format.count(g)]);
    if (e !== null) pairs.push(["Evaluation", Format.count(e)]);
    const unit = source.frame ? "Connections" : "Genes";
    if (z !== null && !tile.more.length) pairs.push([unit, Format.count(z), false]);
    if (Data.sources.length > 1) pairs.push(["From", source.name, false]);
    return pairs;
  }

  /** Returns generation, evaluation and size of an ancestor. All images of a run have the same number of genes. */
  const recorded = ({generation, evaluation, genome}, tile) =>
    ({g: generation, e: evaluation, z: genome ? genome.s.length : tile.z});

  /** Returns a command with a button that copies it. */
  function command(words) {
    const row = element("div", undefined, {class: "command"});
    const button = element("button", "copy", {type: "button", class: "quiet"});
    const answer = (copied) => {
      button.textContent = copied ? "copied" : "select it";
      setTimeout(() => { button.textContent = "copy"; }, 1500);
    };
    button.addEventListener("click", () => {
      const copying = navigator.clipboard?.writeText(words);
      if (copying) copying.then(() => answer(true), () => answer(false));
      else answer(false);
    });
    row.append(element("code", words, {tabindex: "0"}), button);
    return row;
  }

  // The picture

  /** Offers what can be shown of the view, and chooses the sharpest. */
  function offerModes() {
    const offered = {sharp: view.genome, seen: true, before: view.before};
    byId("mode").querySelectorAll("input").forEach((input) => { input.parentElement.hidden = !offered[input.value]; });
    select(view.genome ? "sharp" : "seen");
    byId("mode").hidden = !view.genome && !view.before;
  }

  /** A picture that is not scored was seen by no network. */
  const whoSaw = () => (view.turned && !view.without) || (view.tile.c === null && !view.ancestor) ? "a network would see" : "the network saw";

  function select(mode) {
    view.mode = mode;
    byId("mode").querySelectorAll("input").forEach((input) => { input.checked = input.value === mode; });
  }

  function chooseAncestor(ancestor) {
    Object.assign(view, {ancestor, node: undefined});
    if (ancestor?.genome) select("sharp");
    if (view.genome) Weights.show(view, redraw);
    paint();
  }

  /** Shows another weight or node; what a node sees is drawn sharp. */
  function redraw() {
    Parts.forget(view);
    if (view.node !== undefined) select("sharp");
    paint();
  }


  /** Shows the view on the stage, as a whole where `whole` is true. */
  function paint(whole = false) {
    const {frame, mode, ancestor, without} = view, genome = currentGenome();
    const rings = ancestor ? [] : view.tile.edits || [], picture = whatIsSeen();
    showSeen(picture);  // It takes room from the stage.
    if (mode === "sharp" && genome && !without?.picture) stage.show({frame, genome, node: view.node, whole});
    else if (mode === "before") stage.show({frame, picture: view.before, whole});
    else stage.show({frame, picture, rings, whole});
    byId("mode").querySelector("[value=seen]+span").textContent = view.before ? "after" : `as ${whoSaw()} it`;
    byId("saw").querySelector("span").textContent = whoSaw();
    byId("note").textContent = note();
    describeScore();
  }

  /** Returns what the network was given, or would be given of a genome whose weights were turned. */
  function whatIsSeen() {
    const {turned, frame, ancestor, seen, without} = view, anew = without ? without.genome : turned;
    if (without?.picture) return without.picture;
    return anew ? Sharp.picture(anew, frame, Math.max(frame.shape[1], frame.shape[2])) : ancestor?.picture || seen;
  }

  /** Shows what the network was given beside a picture that is drawn sharper than that, and beside the slider. */
  function showSeen(picture) {
    const button = byId("saw"), [, height, width] = view.frame.shape;
    button.hidden = !currentGenome();
    button.setAttribute("aria-pressed", String(view.mode === "seen"));
    for (const canvas of [button.querySelector("canvas"), byId("turning")]) {
      Object.assign(canvas, {width, height});
      canvas.getContext("2d").drawImage(picture, 0, 0, width, height);
      canvas.classList.toggle("hard", Math.max(width, height) < canvas.clientWidth);
    }
  }

  const currentGenome = () => view.without?.genome || view.turned || view.ancestor?.genome || view.genome;

  /** Returns the line below the stage. */
  function note() {
    const {frame, mode, node, ancestor} = view, [, height, width] = frame.shape;
    if (node !== undefined) {
      const title = Graph.title(currentGenome(), frame, node);
      return `What ${title} sees: black −1, white 1. Click it again to come back.`;
    }
    if (view.without) return `${view.without.words} Choose it again to come back.`;
    if (view.changed) return mode === "sharp" ? "Weights changed: not scored."
      : `Weights changed: drawn anew at ${width} × ${height} pixels, not scored.`;
    if (ancestor) {
      const {generation, score, name} = ancestor;
      const origin = `Generation ${Format.count(generation)}: ${Format.percent(score)} ${Format.className(name)}.`;
      return mode === "seen" && ancestor.genome ? `${origin} Drawn anew at ${width} × ${height} pixels.` : origin;
    }
    if (mode === "sharp") {
      const who = whoSaw();
      return "Drawn anew at any size: drag, wheel or pinch. "
        + `${who[0].toUpperCase()}${who.slice(1)} ${width}\u00a0×\u00a0${height} pixels of it.`;
    }
    if (mode === "before") return "As it was.";
    if (view.before) return "With the changed pixels ringed.";
    return `${width} × ${height} pixels, ${view.tile.c === null ? "not scored" : "exactly what was scored"}.`;
  }

  // Buttons and keys

  /** Opens the tile that is so many tiles further. */
  function step(by) {
    const numbers = Grid.visible().map(Grid.numberOf), n = numbers[numbers.indexOf(view.n) + by];
    if (n !== undefined) open(n);
  }

  Grid.grid.addEventListener("click", (event) => {
    const button = event.target.closest(".tile");
    if (button) open(Grid.numberOf(button));
  });
  function look(mode) {
    select(mode);
    view.node = undefined;
    view.graph?.markNode(-1);
    paint();
  }

  byId("mode").addEventListener("change", (event) => look(event.target.value));
  byId("saw").addEventListener("click", () => look(view.mode === "seen" ? "sharp" : "seen"));
  byId("in").addEventListener("click", () => stage.zoom(ZOOM));
  byId("out").addEventListener("click", () => stage.zoom(1 / ZOOM));
  byId("fit").addEventListener("click", () => stage.whole());
  byId("previous").addEventListener("click", () => step(-1));
  byId("next").addEventListener("click", () => step(1));
  byId("close").addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
  dialog.addEventListener("close", () => {
    if (dialog.open) return;  // The event comes late: the next picture is open already.
    const button = view && Grid.button(view.n);
    view = null;
    delete dialog.dataset.ready;
    history.replaceState(null, "", location.pathname + location.search);
    button?.focus();
  });

  const KEYS = {
    "+": () => stage.zoom(ZOOM), "=": () => stage.zoom(ZOOM), "-": () => stage.zoom(1 / ZOOM), 0: () => stage.whole(),
    ArrowLeft: () => step(-1), ArrowRight: () => step(1),
  };
  const MOVES = {ArrowLeft: [STEP, 0], ArrowRight: [-STEP, 0], ArrowUp: [0, STEP], ArrowDown: [0, -STEP]};
  dialog.addEventListener("keydown", (event) => {
    const {target, key} = event;
    if (/^(INPUT|SELECT)$/.test(target.tagName) && target.type !== "radio") return;
    if (target === byId("stage") && event.shiftKey && MOVES[key]) {
      event.preventDefault();
      stage.pan(...MOVES[key]);
      return;
    }
    if (!KEYS[key] || event.ctrlKey || event.metaKey || event.altKey || target.type === "radio") return;
    event.preventDefault();
    KEYS[key]();
  });

  return {open};
})();
