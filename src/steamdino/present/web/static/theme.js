// Applies the theme that was chosen on this device, before anything is drawn; without one, the system's preference holds.
(() => {
  "use strict";
  const KEY = "steam-dino-theme";
  const root = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: light)");
  let chosen = read();

  // Pages may be denied storage. The choice then lasts as long as the page.
  function read() {
    try {
      return localStorage.getItem(KEY);
    } catch {
      return chosen;
    }
  }

  function store() {
    try {
      if (chosen) localStorage.setItem(KEY, chosen);
      else localStorage.removeItem(KEY);
    } catch { /* see above */ }
  }

  function apply() {
    const theme = chosen === "light" || chosen === "dark" ? chosen : "";
    if (theme) root.dataset.theme = theme;
    else delete root.dataset.theme;
    for (const meta of document.querySelectorAll('meta[name="theme-color"]')) {
      meta.media = theme ? (meta.dataset.theme === theme ? "all" : "not all") : `(prefers-color-scheme: ${meta.dataset.theme})`;
    }
  }

  document.addEventListener("click", (event) => {
    if (!event.target.closest("#theme")) return;
    const preferred = system.matches ? "light" : "dark";
    const now = chosen || preferred;
    const next = now === "light" ? "dark" : "light";
    chosen = next === preferred ? null : next; // what the system prefers needs no memory, and follows it at dusk
    store();
    apply();
  });
  // Other tabs follow.
  addEventListener("storage", (event) => {
    if (event.key !== KEY && event.key !== null) return;
    chosen = read();
    apply();
  });
  addEventListener("pageshow", (event) => {
    if (!event.persisted) return;
    chosen = read();
    apply();
  });
  root.dataset.scripts = "";
  apply();
})();
