"use strict";
// Keyboard and pointer control of the search box's list. Forms and links do the same without it.
(() => {
  const box = () => document.getElementById("q");
  const list = () => document.getElementById("found");

  function close() {
    if (!list()) return;
    list().hidden = true;
    box().setAttribute("aria-expanded", "false");
    box().removeAttribute("aria-activedescendant");
  }

  function choose(step) {
    const items = [...list().children];
    if (!items.length || list().hidden) return;
    const now = items.findIndex((item) => item.getAttribute("aria-selected") === "true");
    const next = (now + step + items.length + (now < 0 && step < 0 ? 1 : 0)) % items.length;
    items.forEach((item, place) => item.setAttribute("aria-selected", String(place === next)));
    box().setAttribute("aria-activedescendant", items[next].id);
    items[next].scrollIntoView({ block: "nearest" });
  }

  function go(href) {
    close();
    const link = document.createElement("a");
    link.href = href;
    document.body.append(link);
    htmx.process(link);
    link.click();
    link.remove();
  }

  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.target.id !== "found") return;
    const any = list().children.length > 0 && document.activeElement === box();
    list().hidden = !any;
    box().setAttribute("aria-expanded", String(any));
  });

  document.addEventListener("keydown", (event) => {
    if (event.target.id !== "q") return;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      choose(event.key === "ArrowDown" ? 1 : -1);
    } else if (event.key === "Escape") {
      close();
    } else if (event.key === "Enter") {
      const chosen = list().querySelector('[aria-selected="true"]');
      if (chosen && !list().hidden) {
        event.preventDefault();
        go(chosen.dataset.href);
      }
    }
  });

  document.addEventListener("pointerdown", (event) => {
    const item = event.target.closest("#found li");
    if (item) {
      event.preventDefault();
      go(item.dataset.href);
    } else if (event.target.id !== "q") {
      close();
    }
  });
  document.addEventListener("focusout", (event) => { if (event.target.id === "q") close(); });
})();
