// Going back shows the place that was left. The browser does that for pages that it loads; htmx fetches them anew.
(() => {
  "use strict";
  const KEY = "steam-dino-place ";
  let here = location.href;

  function save() {
    try {
      sessionStorage.setItem(KEY + here, String(Math.round(scrollY)));
    } catch { /* storage is full or denied: going back starts at the top */ }
  }

  function restore() {
    here = location.href;
    try {
      scrollTo(0, Number(sessionStorage.getItem(KEY + here)) || 0);
    } catch { /* likewise */ }
  }

  document.addEventListener("htmx:beforeRequest", (event) => { if (event.detail.target === document.body) save(); });
  document.addEventListener("htmx:pushedIntoHistory", () => { here = location.href; });
  document.addEventListener("htmx:historyRestore", restore);
  addEventListener("popstate", () => { save(); here = location.href; });
})();
