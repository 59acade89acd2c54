"use strict";
// What the page was made for: the network, how genomes are made, and the pictures that it begins with.
const Setup = (() => {
  const setup = JSON.parse(Dom.byId("data").textContent);
  return {...setup, seed: setup.seed === null ? null : BigInt(setup.seed)};
})();
