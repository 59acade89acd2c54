"use strict";
// The grid of tiles: filtered and sorted.
const Grid = (() => {
  const {byId} = Dom;
  const grid = byId("grid"), cards = [...grid.children], paired = grid.classList.contains("pairs");

  const numberOf = (button) => Number(button.dataset.n);
  const tileOf = (button) => Data.tiles[numberOf(button)];
  const button = (n) => grid.querySelector(`.tile[data-n="${n}"]`);
  const buttons = () => [...grid.querySelectorAll(".tile")];

  /** Returns the buttons of the tiles that the filter leaves, in the order of the page. */
  const visible = () => [...grid.querySelectorAll(".card:not([hidden]) .tile:not(:disabled)")];

  const tilesOf = cards.map((card) => [...card.querySelectorAll(".tile")].map(tileOf));
  const names = tilesOf.map(([first]) => Format.folded(`${first.n} ${first.i ?? ""}`));
  const collator = new Intl.Collator("en", {numeric: true});
  const largest = (tiles, key) => Math.max(...tiles.map((tile) => tile[key] ?? 0));
  const descending = (key) => (a, b) => largest(b, key) - largest(a, key);
  const ORDERS = {
    confidence: descending("c"),
    class: (a, b) => collator.compare(a[0].n, b[0].n),
    index: (a, b) => (a[0].i ?? 1e9) - (b[0].i ?? 1e9),
    generation: descending("g"),
    size: descending("z"),
  };

  /** Sorts the cards as chosen, and filters them. */
  function arrange() {
    const compare = ORDERS[byId("sort").value];
    const order = cards.map((_, at) => at).sort((a, b) => compare(tilesOf[a], tilesOf[b]) || a - b);
    grid.append(...order.map((at) => cards[at]));
    filter();
  }

  /** Hides the cards whose class or confidence does not fit. */
  function filter() {
    const words = Format.folded(byId("filter").value).split(/\s+/).filter(Boolean);
    const [low, high] = byId("level").value.split("-");
    const inRange = ({c}) => (!low && !high) || (c !== null && c >= Number(low || 0) && c < Number(high || Infinity));
    const own = byId("own")?.checked, shown = (tile) => !own || !tile.other;
    for (const tile of buttons()) tile.disabled = !shown(tileOf(tile));
    let left = 0;
    cards.forEach((card, at) => {
      const fits = words.every((word) => names[at].includes(word)) && tilesOf[at].some((tile) => inRange(tile) && shown(tile));
      card.hidden = !fits;
      left += fits;
    });
    byId("count").textContent = left === cards.length ? Format.counted(left, paired ? "class" : "picture")
      : `${Format.count(left)} of ${Format.count(cards.length)}`;
    byId("none").hidden = left > 0;
  }

  byId("filter").addEventListener("input", filter);
  byId("level").addEventListener("change", filter);
  byId("sort").addEventListener("change", arrange);
  byId("own")?.addEventListener("change", filter);

  return {grid, numberOf, tileOf, button, buttons, visible, arrange, filter};
})();
