"use strict";
// The surest picture of every class so far, whoever bred it: a strip with a place for each.
const Collection = (() => {
  const {byId, element} = Dom, {classes} = Setup, list = byId("collection").querySelector("ol");
  const archive = Elites.archive(classes.length);
  const places = classes.map((name, k) => {
    const item = element("li"), button = element("button", undefined, {type: "button"});
    const shot = element("span", undefined, {class: "shot"}), canvas = element("canvas", undefined, {"aria-hidden": "true"});
    const label = element("b"), value = element("span", "–", {class: "value"}), meter = element("span", undefined, {class: "meter"});
    label.append(Dom.isolated(name));
    meter.append(element("i"));
    shot.append(canvas);
    button.append(shot, meter, label, value);
    button.disabled = true;
    button.addEventListener("click", () => Closeup.open(archive.elites[k].genome, button));
    item.append(button);
    return {item, button, canvas, value, meter};
  });
  list.append(...places.map(({item}) => item));

  function show(k) {
    const {item, button, canvas, value, meter} = places[k], {genome, confidence} = archive.elites[k];
    button.disabled = false;
    Painter.paint(canvas, genome, {sharp: true});
    value.textContent = Format.percent(confidence);
    meter.firstChild.style.width = `${100 * confidence}%`;
    item.classList.toggle("sure", confidence >= 0.99);
    item.classList.remove("new");
    void item.offsetWidth;  // Without it the flash of a place that is won again would not begin anew.
    item.classList.add("new");
    button.setAttribute("aria-label", `The surest ${Format.className(classes[k])}: ${Format.percent(confidence)}; look closer`);
  }

  function update(won) {
    won.forEach(show);
    const sure = archive.elites.filter((elite) => elite && elite.confidence >= 0.99).length;
    byId("sure").textContent = `${sure} of ${classes.length} above 99\u00a0%`;
  }

  /** Lets pictures compete in every class. */
  const tell = (genomes, scores) => update(archive.tell(genomes, scores));

  Arrows.among(list, () => places.map(({button}) => button).filter((button) => !button.disabled));

  return {archive, tell, update};
})();
