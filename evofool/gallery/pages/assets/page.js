"use strict";
// Starts the page: as the reader left it, with the tile open that the address names.
(() => {
  Session.restore();
  const named = /^#(\d+)$/.exec(location.hash);
  if (named && Data.tiles[Number(named[1])]) Viewer.open(Number(named[1]));
  Live.follow();
})();
