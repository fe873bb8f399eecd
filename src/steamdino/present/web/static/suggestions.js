// The search box's list of suggestions: arrow keys, what is announced to screen readers, and what happens if a search
// fails. The suggestions are links, so that a click, a tap or a middle click does what it does anywhere. Without a script
// the form does the same.
(() => {
  "use strict";
  const box = () => document.getElementById("q");
  const list = () => document.getElementById("found");
  const options = () => [...list().querySelectorAll('[role="option"]')];
  const chosen = () => options().find((option) => option.getAttribute("aria-selected") === "true");

  function say(text, failed = false) {
    const line = document.getElementById("found-status");
    line.classList.toggle("shown", failed);
    line.textContent = text;
  }

  function show(any) {
    list().hidden = !any;
    box().setAttribute("aria-expanded", String(any));
    box().removeAttribute("aria-activedescendant");
  }

  function choose(step) {
    const items = options();
    if (!items.length || list().hidden) return false;
    const now = items.indexOf(chosen());
    const next = (now + step + items.length + (now < 0 && step < 0 ? 1 : 0)) % items.length;
    items.forEach((item, place) => item.setAttribute("aria-selected", String(place === next)));
    box().setAttribute("aria-activedescendant", items[next].id);
    items[next].scrollIntoView({ block: "nearest" });
    return true;
  }

  const reason = () => list().querySelector(".note"); // of the server, in place of suggestions

  function failed() {
    const text = reason()?.textContent.trim();
    list().replaceChildren();
    show(false);
    say(text ? `The search failed: ${text[0].toLowerCase()}${text.slice(1)}` : "The search failed. Press Enter to try again.", true);
  }

  const ours = (event) => event.detail.elt?.id === "q" || event.target.id === "q";

  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.target.id !== "found" || reason()) return;
    const items = options();
    const games = items.filter((item) => !item.classList.contains("all")).length;
    show(items.length > 0 && document.activeElement === box());
    if (!box().value.trim()) say("");
    else if (!games) say("No game is named like this.", true);
    else say(`${games} game${games === 1 ? "" : "s"} found${items.length > games ? ", and more" : ""}. Use the arrow keys to choose.`);
  });
  for (const failure of ["htmx:responseError", "htmx:sendError", "htmx:timeout"]) {
    document.addEventListener(failure, (event) => { if (ours(event)) failed(); });
  }

  document.addEventListener("keydown", (event) => {
    if (event.target.id !== "q") return;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      if (choose(event.key === "ArrowDown" ? 1 : -1)) event.preventDefault();
    } else if (event.key === "Escape") {
      show(false);
      say("");
    } else if (event.key === "Enter" && !list().hidden && chosen()) {
      event.preventDefault();
      chosen().click();
    }
  });

  // Pressing a pointer would move the focus and close the list before the click, which comes when it is released. A touch
  // that scrolls ends without a click.
  document.addEventListener("mousedown", (event) => { if (event.target.closest("#found")) event.preventDefault(); });
  document.addEventListener("click", (event) => {
    if (event.target.closest("#found a")) show(false);
    else if (list() && event.target.id !== "q" && !event.target.closest("#found")) show(false);
  });
  document.addEventListener("focusin", (event) => {
    if (event.target.id === "q") show(options().length > 0 && Boolean(box().value.trim()));
  });
  document.addEventListener("focusout", (event) => {
    if (event.target.id === "q" && !event.relatedTarget?.closest("#found")) { show(false); say(""); }
  });
})();
