"use strict";
// How a run came about: curves and strips of confidence over evaluations or time.
(() => {
  const {byId} = Dom;
  if (!byId("how")) return;
  const strips = Data.sources.map((source) => source.strip && {...source.strip, key: source.key, group: source.group}).filter(Boolean);

  function draw() {
    const across = byId("across").querySelector("input:checked").value;
    Curves.draw(byId("medians"), strips, across);
    const canvas = byId("strip"), tip = byId("tip");
    if (!canvas) return;
    const entryAt = Strip.rows(canvas, strips[0], across);
    byId("scale").replaceChildren(...Strip.scale());
    canvas.onpointermove = (event) => {
      const {name, generation, evaluations, confidence} = entryAt(event.offsetX, event.offsetY);
      const progress = `generation ${Format.count(generation)}, ${Format.counted(evaluations, "evaluation")}`;
      tip.replaceChildren(Dom.isolated(Format.className(name)), ` ${Format.percent(confidence)} · ${progress}`);
      tip.hidden = false;
      const left = Math.min(canvas.clientWidth - tip.offsetWidth, event.offsetX - tip.offsetWidth / 2);
      tip.style.left = `${Math.max(0, left)}px`;
      tip.style.top = `${canvas.offsetTop + event.offsetY - tip.offsetHeight - 12}px`;
    };
    canvas.onpointerleave = () => { tip.hidden = true; };
  }

  if (Memory.session.read().across === "time") byId("across").querySelector("[value=time]").checked = true;
  byId("across").addEventListener("change", draw);
  let width = byId("how").clientWidth;
  draw();  // It has its height before the page is scrolled to where the reader was.
  new ResizeObserver(([{contentRect}]) => {
    if (Math.abs(contentRect.width - width) < 1) return;
    width = contentRect.width;
    draw();
  }).observe(byId("how"));
})();
