"use strict";
(() => {
  const $ = (id) => document.getElementById(id);
  const data = JSON.parse($("data").textContent), {tiles, sources} = data;
  const grid = $("grid"), dialog = $("closer"), cards = [...grid.children];
  const several = sources.length > 1, pairs = grid.classList.contains("pairs");

  // Numbers as people read them: cut, not rounded, so that only a certain 1 reads 100 %.
  function percent(value) {
    if (value >= 1) return "100 %";
    if (value > 0 && value < 1e-4) return "< 0.01 %";
    const digits = value > 0.9999 ? 4 : 2, scale = 10 ** (digits + 2);
    return `${(Math.floor(value * scale + 1e-7) / 10 ** digits).toFixed(digits)} %`;
  }
  const count = (value) => value.toLocaleString("en");
  function element(name, words, attributes = {}) {
    const made = document.createElement(name);
    if (words !== undefined) made.textContent = words;
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    return made;
  }
  const isolated = (words) => element("bdi", words);

  // What is remembered while the page loads itself again, and of the theme for longer.
  const key = `evofool:${location.pathname}`;
  function recall(store, name) { try { return JSON.parse(store().getItem(name)) || {}; } catch { return {}; } }
  function keep(store, name, value) { try { store().setItem(name, JSON.stringify(value)); } catch { /* then not */ } }
  const session = () => sessionStorage, local = () => localStorage;

  // Theme
  const theme = recall(local, "evofool:theme").theme;
  if (theme) document.documentElement.dataset.theme = theme;
  $("theme").addEventListener("click", () => {
    const dark = matchMedia("(prefers-color-scheme:dark)").matches;
    const now = document.documentElement.dataset.theme || (dark ? "dark" : "light");
    document.documentElement.dataset.theme = now === "dark" ? "light" : "dark";
    keep(local, "evofool:theme", {theme: document.documentElement.dataset.theme});
  });

  // The grid: filter, sort, sharp or as seen
  const numbers = cards.map((card) => [...card.querySelectorAll(".tile")].map((tile) => Number(tile.dataset.n)));
  const told = numbers.map((own) => own.map((n) => tiles[n]));
  const best = (own) => Math.max(...own.map((tile) => tile.c ?? 0));
  const collator = new Intl.Collator("en", {numeric: true});
  const ORDERS = {
    confidence: (a, b) => best(b) - best(a),
    class: (a, b) => collator.compare(a[0].n, b[0].n),
    index: (a, b) => (a[0].i ?? 1e9) - (b[0].i ?? 1e9),
    generation: (a, b) => Math.max(...b.map((t) => t.g ?? 0)) - Math.max(...a.map((t) => t.g ?? 0)),
    size: (a, b) => Math.max(...b.map((t) => t.z ?? 0)) - Math.max(...a.map((t) => t.z ?? 0)),
  };
  const plain = (words) => words.normalize("NFKD").replace(/[\u0300-\u036f]/g, "").toLowerCase();
  const names = told.map((own) => plain(`${own[0].n} ${own[0].i ?? ""}`));
  let order = cards.map((_, at) => at);

  function arrange() {
    const by = ORDERS[$("sort").value];
    order = cards.map((_, at) => at).sort((a, b) => by(told[a], told[b]) || a - b);
    grid.append(...order.map((at) => cards[at]));
    sieve();
  }
  function sieve() {
    const words = plain($("filter").value).split(/\s+/).filter(Boolean), [low, high] = $("level").value.split("-");
    let left = 0;
    cards.forEach((card, at) => {
      const fits = words.every((word) => names[at].includes(word)) && told[at].some((tile) =>
        (!low || (tile.c ?? 0) >= Number(low)) && (!high || (tile.c ?? 0) < Number(high)));
      card.hidden = !fits;
      left += fits;
    });
    $("count").textContent = left === cards.length ? `${count(left)} ${pairs ? "classes" : "pictures"}`
      : `${count(left)} of ${count(cards.length)}`;
    $("none").hidden = left > 0;
  }
  $("filter").addEventListener("input", sieve);
  $("level").addEventListener("change", sieve);
  $("sort").addEventListener("change", arrange);

  // What stays in view is drawn sharp; what is scrolled past costs nothing.
  const near = new Set();
  let resting = 0;
  const watcher = new IntersectionObserver((seen) => {
    for (const {target, isIntersecting} of seen) if (isIntersecting) near.add(target); else near.delete(target);
    clearTimeout(resting);
    resting = setTimeout(() => {
      for (const button of near) { watcher.unobserve(button); sharpen(button); }
      near.clear();
    }, 120);
  }, {rootMargin: "300px"});
  const waiting = [], loading = new Map();
  async function sharpen(button) {
    await details(Number(button.dataset.n));
    waiting.push(button);
    if (waiting.length === 1) setTimeout(sharpenOne, 0);
  }
  function sharpenOne() {
    const until = performance.now() + 12;
    while (waiting.length && performance.now() < until) {
      const button = waiting.shift(), tile = tiles[Number(button.dataset.n)], shot = button.querySelector(".shot");
      if (!tile.genome) continue;
      const side = Math.min(512, Math.ceil(shot.clientWidth * Math.min(2, window.devicePixelRatio || 1)));
      if (side) { shot.append(picture(Cppn.compact(tile.genome), sources[tile.s].frame, side)); shot.classList.add("sharp"); }
    }
    if (waiting.length) setTimeout(sharpenOne, 0);
  }
  /** A genome on a canvas whose longer side is `side`. */
  function picture(genome, frame, side) {
    const [, height, width] = frame.shape, scale = side / Math.max(height, width), canvas = element("canvas");
    canvas.width = Math.max(1, Math.round(width * scale));
    canvas.height = Math.max(1, Math.round(height * scale));
    const bytes = Cppn.render(genome, frame, canvas.width, canvas.height);
    canvas.getContext("2d").putImageData(new ImageData(bytes, canvas.width, canvas.height), 0, 0);
    canvas.setAttribute("aria-hidden", "true");
    return canvas;
  }
  // Where the network saw almost as many pixels as a tile has, there is nothing to sharpen.
  const coarse = (tile) => (tile.genome || (tile.details && sources[tile.s].frame)) && grid.classList.contains("hard");
  function look() {
    const sharp = !$("look") || $("look").querySelector("input:checked").value === "sharp";
    for (const button of grid.querySelectorAll(".tile")) {
      const shot = button.querySelector(".shot");
      if (sharp && coarse(tiles[Number(button.dataset.n)])) watcher.observe(button);
      else { watcher.unobserve(button); near.delete(button); shot.classList.remove("sharp"); shot.querySelector("canvas")?.remove(); }
    }
  }
  $("look")?.addEventListener("change", look);
  if ($("look") && !tiles.some(coarse)) $("look").hidden = true;

  // Keyboard
  const visible = () => [...grid.querySelectorAll(".card:not([hidden]) .tile")];
  grid.addEventListener("keydown", (event) => {
    const steps = {ArrowRight: 1, ArrowLeft: -1, ArrowDown: "down", ArrowUp: "up", Home: "first", End: "last"};
    const step = steps[event.key], all = visible(), at = all.indexOf(document.activeElement);
    if (step === undefined || at < 0 || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    let to = at + step;
    if (step === "first") to = 0;
    else if (step === "last") to = all.length - 1;
    else if (step === "down" || step === "up") {
      const own = all[at].getBoundingClientRect(), wanted = step === "down" ? 1 : -1;
      let nearest = Infinity;
      to = at;
      all.forEach((other, i) => {
        const box = other.getBoundingClientRect(), below = wanted * (box.top - own.top);
        const far = below * 4 + Math.abs(box.left - own.left);
        if (below > 10 && far < nearest) { nearest = far; to = i; }
      });
    }
    all[Math.max(0, Math.min(all.length - 1, to))].focus();
  });
  document.addEventListener("keydown", (event) => {
    const into = document.activeElement === $("filter") ? ["ArrowDown", "Enter"] : document.activeElement === document.body ? ["ArrowRight", "ArrowLeft"] : [];
    if (into.includes(event.key) && !dialog.open && !event.altKey && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      const all = visible();
      (all.find((tile) => tile.getBoundingClientRect().top > 60) || all[0])?.focus();
    } else if (event.key === "/" && !dialog.open && document.activeElement !== $("filter")) {
      event.preventDefault();
      $("filter").focus();
      $("filter").select();
    } else if (event.key === "Escape" && document.activeElement === $("filter")) {
      $("filter").value = "";
      sieve();
      visible()[0]?.focus();
    }
  });

  // A tile opened
  const stage = Stage.on($("stage"), () => {});
  let open = null;

  window.evofoolDetails = (n, details) => Object.assign(tiles[n], details, {details: null});
  function details(n) {
    if (!tiles[n].details) return Promise.resolve();
    if (!loading.has(n)) loading.set(n, new Promise((done) => {
      const script = element("script", undefined, {src: tiles[n].details});
      script.onload = script.onerror = done;
      document.head.append(script);
    }));
    return loading.get(n);
  }
  function image(src) {
    return new Promise((done) => {
      const made = new Image();
      made.onload = made.onerror = () => done(made);
      made.src = src;
    });
  }
  const sourceOf = (n) => grid.querySelector(`.tile[data-n="${n}"] img`).src;

  async function show(n) {
    const tile = tiles[n], source = sources[tile.s];
    const state = {n, tile, source, mode: "seen"};
    open = state;
    if (!dialog.open) dialog.showModal();
    $("name").replaceChildren(isolated(tile.n));
    fill(tile, source);
    location.replace(`#${n}`);
    const [, seen] = await Promise.all([details(n), image(sourceOf(n))]);
    const before = tile.before ? await image(tile.before) : null;
    if (open !== state) return;
    const frame = source.frame || {shape: source.shape};
    Object.assign(state, {seen, before, frame, genome: tile.genome ? Cppn.compact(tile.genome) : null, ancestor: null, node: undefined, turned: null});
    state.mode = state.genome ? "sharp" : "seen";
    $("mode").querySelectorAll("input").forEach((input) => {
      const there = {sharp: state.genome, seen: true, before}[input.value];
      input.parentElement.hidden = !there;
      input.checked = input.value === state.mode;
    });
    $("mode").querySelector("[value=seen]+span").textContent = before ? "after" : "as the network saw it";
    $("mode").hidden = !state.genome && !before;
    film(state);
    network(state);
    paint(state, true);
    if (!state.genome && tile.edits?.length) {
      const [x, y] = tile.edits[0], most = Math.max(frame.shape[1], frame.shape[2]);
      if (most > 64) stage.closeUp(x + 0.5, y + 0.5, most / 3);
    }
    dialog.dataset.ready = String(n);
  }

  function fill(tile, source) {
    const mine = visible().map((button) => Number(button.dataset.n)), at = mine.indexOf(open.n);
    $("place").textContent = at < 0 ? "" : `${count(at + 1)} of ${count(mine.length)}`;
    $("previous").disabled = at <= 0;
    $("next").disabled = at < 0 || at + 1 >= mine.length;
    $("said").replaceChildren(...(tile.c === null ? [] : [element("b", percent(tile.c)), ` for ${source.target}`]));
    $("top").replaceChildren(...tile.top.map(([name, value]) => {
      const row = element("li"), label = element("b"), bar = element("i");
      label.append(isolated(name));
      label.title = name;
      bar.style.setProperty("--share", `${100 * value}%`);
      row.append(label, element("span", percent(value)), bar);
      row.classList.toggle("own", name === tile.n);
      return row;
    }));
    $("guesses").hidden = !tile.top.length;
    const facts = [...tile.more];
    if (tile.g !== null) facts.push(["Generation", count(tile.g)]);
    if (tile.e !== null) facts.push(["Evaluation", count(tile.e)]);
    if (tile.z !== null && !tile.more.length) facts.push([source.frame ? "Connections" : "Genes", count(tile.z)]);
    if (several) facts.push(["From", source.name]);
    $("more").replaceChildren(...facts.map(([name, value]) => {
      const pair = element("div");
      pair.append(element("dt", name), element("dd", value));
      return pair;
    }));
    $("commands").replaceChildren(...tile.commands.map((words) => {
      const row = element("div", undefined, {class: "command"}), button = element("button", "copy", {type: "button", class: "quiet"});
      button.addEventListener("click", () => {
        const say = (done) => { button.textContent = done ? "copied" : "select it"; setTimeout(() => { button.textContent = "copy"; }, 1500); };
        navigator.clipboard?.writeText(words).then(() => say(true), () => say(false)) ?? say(false);
      });
      row.append(element("code", words, {tabindex: "0"}), button);
      return row;
    }));
    $("again").hidden = !tile.commands.length;
    $("lineage").hidden = $("network").hidden = true;
    dialog.querySelector(".told").scrollTop = 0;
  }

  /** What the stage shows now. */
  function paint(state, anew = false) {
    const {frame, mode} = state, genome = state.turned || state.ancestor?.genome || state.genome;
    const seen = state.ancestor?.picture || state.seen;
    if (mode === "sharp" && genome) stage.show({frame, genome, node: state.node, anew});
    else if (mode === "before") stage.show({frame, picture: state.before, anew});
    else stage.show({frame, picture: seen, rings: state.ancestor ? [] : state.tile.edits || [], anew});
    const [, height, width] = frame.shape;
    let words = `${width} × ${height} pixels, exactly what was scored.`;
    if (mode === "sharp") words = "Drag, wheel, pinch: it has no end. Dimmed: not seen by the network.";
    if (mode === "before") words = "As it was.";
    if (state.before && mode === "seen") words = "With the changed pixels ringed.";
    if (state.node !== undefined) words = `What ${Graph.title(genome, frame, state.node)} sees: black −1, white 1. Click it again to come back.`;
    else if (state.changed && mode === "sharp") words = "Weights changed: the confidence is that of the original.";
    else if (state.ancestor) words = `Generation ${count(state.ancestor.generation)}: ${percent(state.ancestor.score)} ${state.ancestor.name}.`
      + (mode === "seen" && state.ancestor.genome ? ` Drawn anew at ${width} × ${height} pixels.` : "");
    $("note").textContent = words;
  }

  function film(state) {
    const {tile, source} = state, line = tile.line || [], past = {...source.past, ...tile.past};
    $("lineage").hidden = line.length < 2;
    const left = tile.ancestors + 1 - line.length;
    $("ancestors").textContent = left > 0 ? `${count(line.length)} of ${count(tile.ancestors + 1)} in its line`
      : `${count(tile.ancestors)} ${tile.ancestors === 1 ? "ancestor" : "ancestors"}`;
    const seer = new IntersectionObserver((seen) => seen.forEach(({target, isIntersecting}) => {
      if (!isIntersecting || !target.draw) return;
      target.draw();
      target.draw = null;
    }), {root: $("line"), rootMargin: "0px 400px"});
    $("line").replaceChildren(...line.map(([generation, name, score, evaluation_id], at) => {
      const item = element("li"), button = element("button", undefined, {type: "button"}), last = at === line.length - 1;
      const kept = last ? (state.genome || state.seen.src) : past[evaluation_id];
      const label = element("b"), hole = element("span", undefined, {class: "lost"});
      label.append(isolated(name));
      label.title = name;
      button.append(hole, label, element("span", `${percent(score)}`), element("span", `gen. ${count(generation)}`));
      button.setAttribute("aria-label", `generation ${generation}: ${name}, ${percent(score)}${kept ? "" : ", picture not kept"}`);
      button.setAttribute("aria-current", String(last));
      button.disabled = !kept;
      button.draw = () => {
        if (typeof kept === "string") hole.replaceWith(Object.assign(element("img", undefined, {alt: ""}), {src: kept}));
        else if (kept) hole.replaceWith(picture(kept, state.frame, 112));
      };
      button.addEventListener("click", async () => {
        state.ancestor = last ? null : {generation, name, score,
          genome: typeof kept === "string" ? null : kept,
          picture: typeof kept === "string" ? await image(kept) : picture(kept, state.frame, Math.max(state.frame.shape[1], state.frame.shape[2]))};
        state.node = undefined;
        if (state.ancestor && state.ancestor.genome) select("sharp");
        $("line").querySelectorAll("button").forEach((other) => other.setAttribute("aria-current", String(other === button)));
        if (state.genome) network(state);
        paint(state);
      });
      seer.observe(button);
      item.append(button);
      return item;
    }));
    $("line").scrollLeft = 1e6;
  }

  function select(mode) {
    if (!open) return;
    open.mode = mode;
    $("mode").querySelectorAll("input").forEach((input) => { input.checked = input.value === mode; });
  }

  function network(state) {
    const original = state.ancestor?.genome || state.genome;
    $("network").hidden = !original;
    if (!original) return;
    const {frame, tile} = state, turned = {...original, w: [...original.w]};
    state.changed = false;
    state.turned = null;
    const graph = state.graph = Graph.draw($("graph"), original, frame, {
      chosen: (e) => choose(e),
      looked: (node) => {
        state.node = state.node === node ? undefined : node;
        graph.markNode(state.node ?? -1);
        select("sharp");
        paint(state);
      },
    });
    const wire = $("wire"), slider = $("weight"), value = $("value");
    wire.replaceChildren(...original.s.map((source, e) =>
      element("option", `${Graph.title(original, frame, source)} → ${Graph.title(original, frame, original.t[e])}`, {value: e})));
    const apply = () => {
      state.changed = turned.w.some((weight, e) => weight !== original.w[e]);
      state.turned = state.changed ? turned : null;
      graph.weigh(turned.w);
      select("sharp");
      paint(state);
      download();
    };
    function choose(e) {
      wire.value = String(e);
      graph.markWire(e);
      const reach = Math.max(4, 2 * Math.abs(original.w[e]));
      slider.min = String(-reach);
      slider.max = String(reach);
      slider.value = String(turned.w[e]);
      value.textContent = turned.w[e].toFixed(2);
    }
    function download() {
      const link = $("download");
      link.hidden = Boolean(state.ancestor) || !tile.genome;
      if (link.hidden) return;
      const file = structuredClone(tile.genome);
      file.connections.forEach((connection, e) => { connection.weight = Math.fround(turned.w[e]) === Math.fround(original.w[e]) ? connection.weight : turned.w[e]; });
      if (state.changed) for (const name of ["sha256", "score", "class", "index", "generation"]) delete file[name];
      if (state.url) URL.revokeObjectURL(state.url);
      state.url = URL.createObjectURL(new Blob([`${JSON.stringify(file, null, 1)}\n`], {type: "application/json"}));
      link.href = state.url;
      link.download = `${tile.stem}${state.changed ? "-changed" : ""}.json`;
      link.textContent = state.changed ? "download the changed genome" : "download the genome";
    }
    wire.onchange = () => choose(Number(wire.value));
    slider.oninput = () => {
      turned.w[Number(wire.value)] = Number(slider.value);
      value.textContent = Number(slider.value).toFixed(2);
      apply();
    };
    $("reset").onclick = () => { turned.w.splice(0, turned.w.length, ...original.w); apply(); choose(Number(wire.value)); };
    if (original.s.length) choose(0);
    wire.parentElement.hidden = !original.s.length;
    graph.markWire(-1);
    download();
  }

  function step(by) {
    const all = visible().map((button) => Number(button.dataset.n)), to = all[all.indexOf(open.n) + by];
    if (to !== undefined) show(to);
  }
  grid.addEventListener("click", (event) => {
    const button = event.target.closest(".tile");
    if (button) show(Number(button.dataset.n));
  });
  $("mode").addEventListener("change", (event) => { open.mode = event.target.value; open.node = undefined; open.graph?.markNode(-1); paint(open); });
  $("in").addEventListener("click", () => stage.zoom(1.6));
  $("out").addEventListener("click", () => stage.zoom(1 / 1.6));
  $("fit").addEventListener("click", () => stage.whole());
  $("previous").addEventListener("click", () => step(-1));
  $("next").addEventListener("click", () => step(1));
  $("close").addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
  dialog.addEventListener("close", () => {
    if (dialog.open) return;  // the event comes late: the next picture is open already
    const button = open && grid.querySelector(`.tile[data-n="${open.n}"]`);
    open = null;
    delete dialog.dataset.ready;
    history.replaceState(null, "", location.pathname + location.search);
    button?.focus();
  });
  dialog.addEventListener("keydown", (event) => {
    if (/^(INPUT|SELECT)$/.test(event.target.tagName) && event.target.type !== "radio") return;
    const keys = {"+": () => stage.zoom(1.6), "=": () => stage.zoom(1.6), "-": () => stage.zoom(1 / 1.6), 0: () => stage.whole(),
      ArrowLeft: () => step(-1), ArrowRight: () => step(1)};
    if (event.target === $("stage") && event.shiftKey) {
      const moves = {ArrowLeft: [60, 0], ArrowRight: [-60, 0], ArrowUp: [0, 60], ArrowDown: [0, -60]};
      if (moves[event.key]) { event.preventDefault(); stage.pan(...moves[event.key]); return; }
    }
    if (!keys[event.key] || event.ctrlKey || event.metaKey || event.altKey || event.target.type === "radio") return;
    event.preventDefault();
    keys[event.key]();
  });

  // How it came about
  function history_() {
    const strips = sources.map((source, at) => source.strip && {...source.strip, at}).filter(Boolean);
    if (!strips.length) return;
    const across = $("across").querySelector("input:checked").value;
    Strip.medians($("medians"), strips, across);
    const canvas = $("strip");
    if (!canvas) return;
    const ask = Strip.rows(canvas, strips[0], across), tip = $("tip");
    $("scale").replaceChildren(...Strip.scale());
    canvas.onpointermove = (event) => {
      const {name, generation, evaluations, confidence} = ask(event.offsetX, event.offsetY);
      tip.replaceChildren(isolated(name), ` ${percent(confidence)} · generation ${count(generation)}, ${count(evaluations)} evaluations`);
      tip.hidden = false;
      const left = Math.max(0, Math.min(canvas.clientWidth - tip.offsetWidth, event.offsetX - tip.offsetWidth / 2));
      tip.style.left = `${left}px`;
      tip.style.top = `${canvas.offsetTop + event.offsetY - tip.offsetHeight - 12}px`;
    };
    canvas.onpointerleave = () => { tip.hidden = true; };
  }
  if ($("how")) {
    let width = $("how").clientWidth;
    if (recall(session, key).across === "time") $("across").querySelector("[value=time]").checked = true;
    $("across").addEventListener("change", history_);
    history_();  // at once: what it moves has to lie there before one is taken back to where one was
    new ResizeObserver(([{contentRect}]) => {
      if (Math.abs(contentRect.width - width) < 1) return;
      width = contentRect.width;
      history_();
    }).observe($("how"));
  }

  // While the run goes on, the page loads itself again
  function follow() {
    if (!data.live) return;
    const {every, written} = data.live, badge = document.querySelector(".live"), words = badge.querySelector("span");
    const last = () => (Date.now() / 1000 - written), patience = Math.max(60, 6 * every);
    const {generation, evaluations} = sources[0].facts;
    const tick = () => {
      const silent = last() > patience, quiet = dialog.open || document.hidden;
      badge.classList.toggle("gone", silent);
      words.textContent = silent ? "no news for a while: the run may have been stopped"
        : `live · generation ${count(generation)}, ${count(evaluations)} evaluations${dialog.open ? " · waits while a picture is open" : ""}`;
      if (!quiet && performance.now() / 1000 > (silent ? 60 : every)) {
        remember();
        location.reload();
      } else setTimeout(tick, 250);
    };
    tick();
    grid.addEventListener("error", () => setTimeout(() => { if (!dialog.open) { remember(); location.reload(); } }, every * 1000), true);
  }
  function remember() {
    keep(session, key, {filter: $("filter").value, level: $("level").value, sort: $("sort").value, scroll: scrollY,
      look: $("look")?.querySelector("input:checked").value, across: $("across")?.querySelector("input:checked").value, focus: document.activeElement?.id, caret: $("filter").selectionStart,
      tile: tileName(document.activeElement?.closest?.(".tile"))});
  }
  function tileName(tile) { return tile?.getAttribute("aria-label").replace(/, [<\d. ]+%.*/, ""); }
  addEventListener("pagehide", remember);
  const before = recall(session, key);
  if (before.filter) $("filter").value = before.filter;
  for (const name of ["level", "sort"]) if ([...$(name).options].some((one) => one.value === before[name])) $(name).value = before[name];
  if (before.look === "seen" && $("look")) $("look").querySelector("[value=seen]").checked = true;
  arrange();
  look();
  if (before.scroll) { history.scrollRestoration = "manual"; requestAnimationFrame(() => scrollTo(0, before.scroll)); }
  if (["filter", "level", "sort", "theme"].includes(before.focus)) $(before.focus).focus({preventScroll: true});
  else if (before.tile) visible().find((tile) => tileName(tile) === before.tile)?.focus({preventScroll: true});
  if (before.focus === "filter") $("filter").setSelectionRange(before.caret, before.caret);
  const asked = /^#(\d+)$/.exec(location.hash);
  if (asked && tiles[Number(asked[1])]) show(Number(asked[1]));
  follow();
})();
