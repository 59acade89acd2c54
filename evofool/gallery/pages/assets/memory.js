"use strict";
// What the browser remembers of the page. A browser that keeps nothing, or has no room, is no error.
const Memory = (() => {
  function memory(storage, key) {
    return {
      read() {
        try { return JSON.parse(storage().getItem(key)) || {}; } catch { return {}; }
      },
      write(value) {
        try { storage().setItem(key, JSON.stringify(value)); } catch { /* Nothing is remembered. */ }
      },
    };
  }

  return {
    /** The theme, which all pages share and which stays. */
    theme: memory(() => localStorage, "evofool:theme"),
    /** What a reader has chosen on this page; it lasts while the page loads itself again. */
    session: memory(() => sessionStorage, `evofool:${location.pathname}`),
  };
})();
