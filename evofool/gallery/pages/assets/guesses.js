"use strict";
// What the network sees in a picture: classes with their confidences.
const Guesses = (() => {
  const {classes} = Setup;

  /** Returns the numbers of the classes, the surest first. */
  const order = (scores) => [...scores.keys()].sort((a, b) => scores[b] - scores[a] || a - b);

  /** Returns a list's lines: the surest `count` classes, and the one that is aimed at in any case. */
  function lines(scores, count, aim) {
    const first = order(scores).slice(0, count);
    if (aim !== null && !first.includes(aim)) first[count - 1] = aim;
    return first.map((k) => line(classes[k], scores[k], k === aim));
  }

  function line(name, share, aimed) {
    const row = Dom.element("li"), label = Dom.element("b"), bar = Dom.element("i");
    label.append(Dom.isolated(name));
    bar.style.setProperty("--share", `${100 * share}%`);
    row.append(label, Dom.element("span", Format.percent(share)), bar);
    row.classList.toggle("current", aimed);
    return row;
  }

  /** Returns the surest class and its confidence in words. */
  function words(scores) {
    const [k] = order(scores);
    return `${Format.className(classes[k])}, ${Format.percent(scores[k])}`;
  }

  return {order, lines, words};
})();
