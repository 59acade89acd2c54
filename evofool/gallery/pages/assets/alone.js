"use strict";
// Evolution that goes on by itself: MAP-Elites until every class is sure, as long as nobody stops it.
const Alone = (() => {
  const {byId} = Dom, button = byId("alone"), progress = byId("progress");
  /** Children of a generation. */
  const BATCH = 100;
  /** The loop that goes on, or null; and the end of the last one. A loop that is stopped still scores its batch. */
  let running = null, last = Promise.resolve();
  let search = null, scored = 0, milliseconds = 0;

  const level = () => `${Number((100 * goal).toPrecision(8))}\u00a0%`;
  let goal = 0.99;

  function told(ended) {
    const seconds = milliseconds / 1000, pictures = Format.counted(scored, "picture");
    const speed = seconds ? `, ${Format.count(Math.round(scored / seconds))} a second` : "";
    const time = seconds < 60 ? `${seconds.toFixed(seconds < 10 ? 1 : 0)} seconds` : `${(seconds / 60).toFixed(1)} minutes`;
    progress.textContent = ended
      ? `All ${Setup.classes.length} classes are above ${level()}: ${pictures} in ${time}.` : `${pictures} tried${speed}`;
    Object.assign(byId("collection").dataset, {scored, seconds: seconds.toFixed(3)});
  }

  function label() {
    button.querySelector("span").textContent = running ? "Stop" : scored ? "Go on by itself" : "Let it evolve by itself";
    button.classList.toggle("running", running !== null);
    button.setAttribute("aria-pressed", String(running !== null));
  }

  async function run() {
    const {archive} = Collection;
    search ||= Elites.search(archive, Setup.kind, Draws.stream(Setup.seed === null ? Draws.fresh() : Setup.seed + 1n));
    goal = archive.sureLevel();
    const mine = running = {};
    await last;
    let since = performance.now(), ended = false;
    while (running === mine && !ended) {
      const children = search.ask(BATCH), scores = await Judges.score(children);
      Collection.update(search.tell(children, scores));
      scored += children.length;
      milliseconds += performance.now() - since;
      since = performance.now();
      ended = archive.lowest() >= goal;
      told(ended);
    }
    if (running === mine) running = null;
    byId("collection").dataset.ended = String(ended);
    label();
  }

  /** Starts or stops. */
  function toggle() {
    if (running) running = null;
    else last = run();
    label();
  }

  button.addEventListener("click", toggle);
  label();

  return {toggle};
})();
