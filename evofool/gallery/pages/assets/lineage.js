"use strict";
// The film strip of an opened tile: its ancestors, as far as they were kept.
const Lineage = (() => {
  const {byId, element} = Dom;
  /** Longer side, in pixels, of a picture in the film strip. */
  const SIDE = 112;

  /** Shows the lineage of a tile. `choose` is called with the ancestor that a reader picks, null for the tile itself.
   * An ancestor is {generation, name, score, evaluation, genome, picture}. */
  function show(view, choose) {
    const {tile, source} = view, lineage = tile.line || [], past = {...source.past, ...tile.past};
    byId("lineage").hidden = lineage.length < 2;
    byId("ancestors").textContent = title(tile, lineage.length);
    const watcher = new IntersectionObserver((entries) => entries.forEach(({target, isIntersecting}) => {
      if (!isIntersecting || !target.draw) return;
      target.draw();
      target.draw = null;
    }), {root: byId("line"), rootMargin: "0px 400px"});
    byId("line").replaceChildren(...lineage.map(([generation, name, score, evaluationId], at) => {
      const last = at === lineage.length - 1, kept = last ? (view.genome || view.seen.src) : past[evaluationId];
      const button = entry({generation, name, score}, kept, last, view.frame);
      button.addEventListener("click", async () => {
        const known = {generation, name, score, evaluation: evaluationId};
        const ancestor = last ? null : {...known, ...await drawn(kept, view.frame)};
        byId("line").querySelectorAll("button")
          .forEach((other) => other.setAttribute("aria-current", String(other === button)));
        choose(ancestor);
      });
      watcher.observe(button);
      const item = element("li");
      item.append(button);
      return item;
    }));
    byId("line").scrollLeft = 1e6;
  }

  /** Returns how many ancestors there are, and how many of them are shown. */
  function title({ancestors}, shown) {
    if (ancestors + 1 > shown) return `${Format.count(shown)} of ${Format.count(ancestors + 1)} in its line`;
    return Format.counted(ancestors, "ancestor");
  }

  /** Returns the button of one picture, which is drawn when it comes into view. */
  function entry({generation, name, score}, kept, current, frame) {
    const button = element("button", undefined, {type: "button"});
    const blank = element("span", undefined, {class: "missing"}), label = element("b");
    label.append(Dom.isolated(name));
    label.title = name;
    button.append(blank, label);
    button.append(element("span", Format.percent(score)), element("span", `gen. ${Format.count(generation)}`));
    const description = `generation ${generation}: ${name}, ${Format.percent(score)}`;
    button.setAttribute("aria-label", kept ? description : `${description}, picture not kept`);
    button.setAttribute("aria-current", String(current));
    button.disabled = !kept;
    button.draw = () => {
      if (typeof kept === "string") blank.replaceWith(element("img", undefined, {alt: "", src: kept}));
      else if (kept) blank.replaceWith(Sharp.picture(kept, frame, SIDE));
    };
    return button;
  }

  /** Resolves to the genome and the picture of what was kept: a compact genome, or the picture's address. */
  async function drawn(kept, frame) {
    if (typeof kept === "string") return {genome: null, picture: await Data.image(kept)};
    return {genome: kept, picture: Sharp.picture(kept, frame, Math.max(frame.shape[1], frame.shape[2]))};
  }

  return {show};
})();
