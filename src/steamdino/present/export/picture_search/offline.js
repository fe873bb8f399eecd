// Keeps the site in this browser for use without a connection. `sw.js` answers from there.
const SWITCH = "steam-dino offline";
const root = new URL("./", location.href).href;
const store = `steam-dino ${root} ${facts.version}`;

function switchedOff() {
  try {
    return localStorage.getItem(SWITCH) === "off";
  } catch {
    return false; // no storage is allowed
  }
}

const keeps = () => Boolean(globalThis.caches && navigator.serviceWorker) && !switchedOff();

// Whether everything that a search loads is in the browser's cache.
async function isStored(parts) {
  if (!keeps()) return false;
  try {
    if (!(await caches.has(store))) return false;
    const known = new Set((await (await caches.open(store)).keys()).map(({ url }) => url.slice(root.length)));
    return Object.values(filesOf(parts)).flat().every(({ path }) => known.has(path));
  } catch {
    return false;
  }
}

// Keeping the site for use without a connection, and the button that switches it off.
async function offlineSwitch() {
  if (!(globalThis.caches && navigator.serviceWorker)) return "";
  const box = make("p", { class: "quiet offline" });
  const draw = () => {
    const off = switchedOff();
    const button = make("button", { type: "button" }, off ? "Keep it for use offline" : "Stop keeping it");
    button.addEventListener("click", async () => {
      button.disabled = true;
      await (off ? keepSite() : forgetSite());
      draw();
      box.querySelector("button").focus();
    });
    box.replaceChildren(make("span", { role: "status" }, off
      ? "This site is not kept in this browser, so it needs a connection."
      : "This browser keeps the site: what you used once also works without a connection."), " ", button);
  };
  draw();
  return box;
}

function remember(value) {
  try {
    localStorage.setItem(SWITCH, value);
  } catch { /* it holds until the page is left */ }
}

async function keepSite() {
  remember("on");
  await navigator.serviceWorker.register("sw.js").catch(() => {});
}

async function forgetSite() {
  remember("off");
  const known = await navigator.serviceWorker.getRegistrations();
  await Promise.all(known.filter(({ scope }) => scope === root).map((one) => {
    one.active?.postMessage("forget");
    return one.unregister();
  }));
  const names = await caches.keys();
  await Promise.all(names.filter((name) => name.startsWith(`steam-dino ${root} `)).map((name) => caches.delete(name)));
}

addEventListener("load", () => { if (keeps()) navigator.serviceWorker.register("sw.js").catch(() => {}); });
