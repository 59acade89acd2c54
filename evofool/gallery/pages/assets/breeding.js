"use strict";
// Breeding by hand: parents are chosen, children appear, and one can go back.
const Breeding = (() => {
  const {byId} = Dom, {kind, frame} = Setup;
  /** Pictures of a generation, parents that stay among their children, and pictures that "the surest" chooses. */
  const PICTURES = 18, STAY = 6, SUREST = 3;
  /** Mutations of a first picture, which without any would be plain; how far its pixels are apart at least, in levels
   * of 255 as a standard deviation; and how often it is drawn anew until they are. */
  const FIRST = 4, LIVELY = 40, TRIES = 12;
  /** Share of the children of several parents that have two. */
  const CROSSED = 0.5;
  /** Generations that one can go back. */
  const REMEMBERED = 200;
  /** Most bytes of a genome's file that is read. */
  const MAX_BYTES = 2_000_000;

  const stream = Draws.stream(Setup.seed === null ? Draws.fresh() : Setup.seed);
  const past = [];

  const picture = (genome, parent = false) => ({genome, scores: null, parent, chosen: false});

  /** Returns a random genome whose picture shows something. */
  function first(left = TRIES) {
    let genome = Variation.random(kind, stream);
    for (let round = 0; round < FIRST; round++) genome = Variation.mutate(genome, kind, stream);
    return left && apart(Painter.native(genome).data) < LIVELY ? first(left - 1) : genome;
  }

  /** Returns the standard deviation of a picture's pixels in green. */
  function apart(bytes) {
    const values = Array.from({length: bytes.length / 4}, (_, i) => bytes[4 * i + 1]);
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
  }

  /** Returns a child of one of some parents, the n-th of its generation. */
  function child(parents, n) {
    const parent = parents[n % parents.length], others = parents.filter((other) => other !== parent);
    const crossed = others.length && stream.uniform() < CROSSED;
    const genome = crossed ? Variation.cross(parent, stream.one(others), kind, stream) : parent;
    const bold = stream.uniform() < 0.5;
    return bold ? Variation.mutate(genome, kind, stream)
      : Variation.mutateSlightly(genome, kind, stream.uniform() < kind.slightly.kept, stream);
  }

  /** Shows a new generation, and has the network look at it. */
  async function begin(pictures, number) {
    const {current, show, score} = Nursery;
    if (current().number) past.push(current());
    if (past.length > REMEMBERED) past.shift();
    show({number, pictures});
    const unknown = pictures.filter((one) => !one.scores), genomes = unknown.map(({genome}) => genome);
    const scores = await Judges.score(genomes, {urgent: true});
    score(unknown, scores);
    Collection.tell(genomes, scores);
  }

  /** Begins with these genomes, and with children of theirs. */
  function from(genomes) {
    const kept = genomes.slice(0, PICTURES).map((genome) => picture(genome, true));
    const children = Array.from({length: PICTURES - kept.length}, (_, n) => picture(child(genomes, n)));
    return begin([...kept, ...children], Nursery.current().number + 1);
  }

  /** Replaces the generation by children of the chosen pictures, which stay if they are few. */
  function breed() {
    const parents = Nursery.chosen();
    if (!parents.length) return;
    const kept = parents.slice(0, STAY).map(({genome, scores}) => ({...picture(genome, true), scores}));
    const genomes = parents.map(({genome}) => genome);
    const children = Array.from({length: PICTURES - kept.length}, (_, n) => picture(child(genomes, n)));
    begin([...kept, ...children], Nursery.current().number + 1);
    byId("pictures").scrollIntoView({block: "start", behavior: still() ? "auto" : "smooth"});
  }

  const still = () => matchMedia("(prefers-reduced-motion:reduce)").matches;

  function back() {
    if (past.length) Nursery.show(past.pop());
  }

  function anew() {
    return begin(Array.from({length: PICTURES}, () => picture(first())), Nursery.current().number + 1);
  }

  /** Takes a genome from the text that a file or a link held, or says why not. Returns whether it did. */
  function take(read) {
    try {
      from([read()]);
      say("");
      return true;
    } catch (error) {
      say(error.message);
      return false;
    }
  }

  function say(words) {
    byId("message").textContent = words;
    byId("message").hidden = !words;
  }

  async function load(file) {
    if (!file) return;
    const small = file.size <= MAX_BYTES, text = small ? await file.text() : "";
    take(() => {
      if (!small) throw new Error(`The file has ${Format.count(file.size)} bytes; a genome has at most ${Format.count(MAX_BYTES)}.`);
      return Genomes.read(text, frame, kind.settings);
    });
  }

  function followLink() {
    const [, letters] = /^#g=(.*)$/.exec(location.hash) || [];
    return Boolean(letters) && take(() => Genomes.fromLink(letters, frame, kind.settings));
  }

  Nursery.onChange(() => {
    const count = Nursery.chosen().length, {number} = Nursery.current();
    byId("breed").disabled = !count;
    byId("breed").querySelector("span").textContent = count ? `Make children of ${count}` : "Choose pictures you like";
    byId("back").disabled = !past.length;
    byId("generation").textContent = `generation ${Format.count(number)}`;
  });

  const ACTIONS = {
    breed, back, anew, surest: () => Nursery.chooseSurest(SUREST), load: () => byId("file").click(),
    help: () => byId("help").showModal(),
  };
  for (const [id, act] of Object.entries(ACTIONS)) byId(id === "help" ? "ask" : id).addEventListener("click", act);
  byId("file").addEventListener("change", (event) => { load(event.target.files[0]); event.target.value = ""; });
  document.addEventListener("dragover", (event) => event.preventDefault());
  document.addEventListener("drop", (event) => { event.preventDefault(); load(event.dataTransfer.files[0]); });
  byId("help").addEventListener("click", (event) => { if (event.target === byId("help")) byId("help").close(); });
  addEventListener("hashchange", followLink);

  const KEYS = {b: "breed", s: "surest", z: "back", n: "anew", l: "load", "?": "help"};
  document.addEventListener("keydown", (event) => {
    if (document.querySelector("dialog[open]") || /^(INPUT|SELECT)$/.test(event.target.tagName) || Arrows.modified(event)) return;
    if (event.repeat) return;
    if (event.key === "e") Alone.toggle();
    else if (KEYS[event.key]) ACTIONS[KEYS[event.key]]();
  });

  /** Shows the first generation: the picture of a link, those that the page was made with, or new ones. */
  function start() {
    Judges.onFailure((words) => say(`The network can't run in this browser: ${words}`));
    Judges.begin();
    if (followLink()) return;
    if (Setup.genomes.length) from(Setup.genomes.map((file) => Genomes.read(JSON.stringify(file), frame, kind.settings)));
    else anew();
  }

  return {from, start};
})();

Breeding.start();
