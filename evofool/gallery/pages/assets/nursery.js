"use strict";
// The pictures of a generation: what the network sees in each, and which of them are chosen as parents.
const Nursery = (() => {
  const {byId, element} = Dom, list = byId("nursery");
  /** Number of guesses below a picture. */
  const TOLD = 3;

  /** The generation on show: its number and pictures, {genome, scores, parent, chosen}; scores are null at first. */
  let shown = {number: 0, pictures: []};
  let cards = [], changed = () => {};

  const sharp = () => byId("look").querySelector("input:checked").value === "sharp";
  const aim = () => byId("aim").value === "" ? null : Number(byId("aim").value);
  const picks = () => cards.map(({pick}) => pick);
  const chosen = () => shown.pictures.filter((picture) => picture.chosen);

  /** Shows a generation; its pictures may have scores already. */
  function show(generation) {
    shown = generation;
    const at = picks().indexOf(document.activeElement);
    cards = generation.pictures.map(card);
    list.replaceChildren(...cards.map(({item}) => item));
    list.scrollTop = 0;
    generation.pictures.forEach((picture, number) => { paint(number); tell(number); mark(number); });
    if (at >= 0) cards[Math.min(at, cards.length - 1)].pick.focus({preventScroll: true});
    changed();
  }

  function card(picture, number) {
    const item = element("li", undefined, {class: picture.parent ? "card parent" : "card"});
    const pick = element("button", undefined, {type: "button", class: "pick", "data-n": number});
    const shot = element("span", undefined, {class: "shot"}), canvas = element("canvas", undefined, {"aria-hidden": "true"});
    const closer = element("button", "⤢", {type: "button", class: "closer", "aria-label": `Look closer at picture ${number + 1}`});
    const guesses = element("ol", undefined, {class: "guesses"});
    shot.append(canvas);
    pick.append(shot);
    pick.addEventListener("click", () => choose(number, !picture.chosen));
    closer.addEventListener("click", () => Closeup.open(picture.genome, closer));
    item.append(pick, closer, guesses);
    return {item, pick, canvas, guesses};
  }

  function paint(number) {
    Painter.paint(cards[number].canvas, shown.pictures[number].genome, {sharp: sharp()});
  }

  /** Writes what the network sees in a picture. */
  function tell(number) {
    const {scores, parent} = shown.pictures[number], {pick, guesses, item} = cards[number];
    item.classList.toggle("waits", !scores);
    if (scores) guesses.replaceChildren(...Guesses.lines(scores, Math.min(TOLD, scores.length), aim()));
    const words = scores ? Guesses.words(scores) : "the network is looking";
    pick.setAttribute("aria-label", `Picture ${number + 1}${parent ? ", a parent" : ""}: ${words}`);
  }

  function mark(number) {
    const {chosen: on} = shown.pictures[number], {pick, item} = cards[number];
    pick.setAttribute("aria-pressed", String(on));
    item.classList.toggle("chosen", on);
  }

  function choose(number, on) {
    shown.pictures[number].chosen = on;
    mark(number);
    changed();
  }

  /** Chooses the pictures, and no others, that the network is surest about: of the class that is aimed at, or else of
   * different classes as far as there are some. */
  function chooseSurest(count) {
    const scored = shown.pictures.filter(({scores}) => scores), aimed = aim();
    const sureness = ({scores}) => aimed === null ? Math.max(...scores) : scores[aimed];
    scored.sort((a, b) => sureness(b) - sureness(a));
    const seen = ({scores}) => Guesses.order(scores)[0];
    const surest = (picture, at) => aimed !== null || scored.findIndex((other) => seen(other) === seen(picture)) === at;
    const picked = [...scored.filter(surest), ...scored.filter((picture, at) => !surest(picture, at))].slice(0, count);
    shown.pictures.forEach((picture, number) => choose(number, picked.includes(picture)));
  }

  /** Takes the scores of pictures of a generation, which may have gone by. */
  function score(pictures, scores) {
    pictures.forEach((picture, row) => { picture.scores = scores[row]; });
    shown.pictures.forEach((picture, number) => { if (pictures.includes(picture)) tell(number); });
    changed();
  }

  Arrows.among(list, picks);
  byId("look").addEventListener("change", () => shown.pictures.forEach((_, number) => paint(number)));
  byId("aim").addEventListener("change", () => shown.pictures.forEach((_, number) => tell(number)));

  return {
    show, score, chosen, chooseSurest, aim, sharp, current: () => shown, onChange: (told) => { changed = told; },
    focus: () => picks()[0]?.focus(),
  };
})();
