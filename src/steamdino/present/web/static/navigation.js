// What a browser does at a full load, done for boosted links and forms as well: it shows that it is busy, keeps the focus
// where it was, shows errors as pages, and says so if there is no answer.
(() => {
  "use strict";
  const ANNOUNCED = 400; // milliseconds after which waiting is worth a word
  const LEFT = "steam-dino-left"; // for each page, the link by which it was left
  let waiting = 0;
  let announced;
  let before = null;
  let arriving = false;

  const status = (text, failed = false) => {
    const line = document.getElementById("busy");
    line.textContent = text;
    line.classList.toggle("failed", failed);
  };
  const isPage = (event) => event.detail.target === document.body;

  function busy(source) {
    document.documentElement.dataset.busy = "";
    document.getElementById("main").setAttribute("aria-busy", "true");
    source?.closest("a, form")?.classList.add("waiting");
    clearTimeout(announced);
    announced = setTimeout(() => status("Loading…"), ANNOUNCED);
  }

  function idle() {
    clearTimeout(announced);
    delete document.documentElement.dataset.busy;
    document.getElementById("main").removeAttribute("aria-busy");
    for (const one of document.querySelectorAll(".waiting")) one.classList.remove("waiting");
    status("");
  }

  // How to find a control again on another page: its id, else its place among those with the same name or address.
  function describe(control) {
    if (!control || control === document.body) return null;
    if (control.id) return { id: control.id };
    const form = control.closest("form");
    if (form) return { form: form.className, place: [...form.elements].indexOf(control) };
    const nav = control.closest("nav, header");
    return nav && control.matches("a") ? { link: control.getAttribute("href") } : null;
  }

  function find(what) {
    if (!what) return null;
    if (what.id) return document.getElementById(what.id);
    if (what.link) return document.querySelector(`header a[href="${CSS.escape(what.link)}"], nav a[href="${CSS.escape(what.link)}"]`);
    const form = [...document.forms].find((one) => one.className === what.form);
    return form?.elements[what.place] || null;
  }

  function focusOn(element) {
    if (!element) return;
    if (!element.matches("a, button, input, select, textarea, summary, [tabindex]")) element.tabIndex = -1;
    element.focus({ preventScroll: true });
  }

  const left = () => {
    try {
      return JSON.parse(sessionStorage.getItem(LEFT)) || {};
    } catch {
      return {};
    }
  };

  function leave(link) {
    if (!link) return;
    try {
      sessionStorage.setItem(LEFT, JSON.stringify({ ...left(), [location.pathname + location.search]: link }));
    } catch { /* storage is full or denied; only the focus after going back depends on it */ }
  }

  document.addEventListener("htmx:beforeRequest", (event) => {
    if (!isPage(event)) return;
    waiting += 1;
    before = describe(document.activeElement); // before the form looks busy
    busy(event.detail.elt);
    arriving = true;
    leave(event.detail.elt.closest("main a")?.getAttribute("href"));
  });
  document.addEventListener("htmx:afterRequest", (event) => {
    if (!isPage(event)) return;
    waiting = Math.max(waiting - 1, 0);
    if (!waiting && event.detail.successful) idle();
  });
  // A page with an error is a page: the browser loads it, and shows its address.
  document.addEventListener("htmx:responseError", (event) => {
    if (isPage(event) && event.detail.requestConfig.verb === "get") location.assign(event.detail.pathInfo.finalRequestPath);
  });
  for (const failure of ["htmx:sendError", "htmx:timeout"]) {
    document.addEventListener(failure, (event) => {
      if (!isPage(event)) return;
      idle();
      status("There is no answer. Check your connection, and try again.", true);
    });
  }
  document.addEventListener("htmx:afterSettle", (event) => {
    if (!isPage(event) || !arriving) return; // it is told once for each part of the page
    arriving = false;
    focusOn(find(before) || document.querySelector("main h1") || document.getElementById("main"));
  });
  document.addEventListener("htmx:historyRestore", () => {
    waiting = 0;
    idle();
    const href = left()[location.pathname + location.search];
    focusOn((href && document.querySelector(`main a[href="${CSS.escape(href)}"]`)) || document.querySelector("main h1"));
  });
  document.addEventListener("htmx:historyCacheMiss", () => busy());

  // Forms and links that are not boosted, such as an upload: the browser shows the next page by itself.
  document.addEventListener("submit", (event) => {
    if (event.target.closest('[hx-boost="false"]')) setTimeout(() => event.defaultPrevented || busy(event.target));
  });
  addEventListener("pageshow", (event) => { if (event.persisted) idle(); });
})();
