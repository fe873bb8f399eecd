// A picture of one's own, dropped or pasted on any page; and a part of a picture, drawn on it. Forms do the same without it.
(() => {
  "use strict";
  const TROUBLE = "The picture could not be sent. Check the connection and try again.";
  let sending = null; // the request that is under way
  let last = null; // what to send again

  function make(tag, properties, ...children) {
    const made = Object.assign(document.createElement(tag), properties);
    made.append(...children);
    return made;
  }

  function dialog() {
    const known = document.getElementById("sending");
    if (known) return known;
    const made = make("dialog", { id: "sending" },
      make("h2", { id: "sending-title", textContent: "Your picture" }),
      make("img", { alt: "The picture that you chose", hidden: true }),
      make("p", { className: "state" }),
      make("progress", { max: 1 }),
      make("p", { className: "error", hidden: true }),
      make("div", { className: "buttons" },
        make("button", { type: "button", className: "again", textContent: "Try again" }),
        make("button", { type: "button", className: "cancel", textContent: "Cancel" })));
    made.setAttribute("aria-labelledby", "sending-title");
    made.querySelector(".state").setAttribute("role", "status");
    made.querySelector(".error").setAttribute("role", "alert");
    made.querySelector("progress").setAttribute("aria-label", "Sent");
    made.querySelector(".again").addEventListener("click", () => send(last));
    made.querySelector(".cancel").addEventListener("click", () => made.close());
    made.addEventListener("close", () => sending?.abort());
    document.body.append(made);
    return made;
  }

  function show(file, image) {
    const reader = new FileReader();
    reader.addEventListener("load", () => { image.src = reader.result; image.hidden = false; });
    image.hidden = true;
    image.onerror = () => { image.hidden = true; }; // the server says what is wrong with it
    reader.readAsDataURL(file);
  }

  function fail(text) {
    const box = dialog();
    box.querySelector(".state").textContent = "";
    box.querySelector("progress").hidden = true;
    box.querySelector(".error").textContent = text;
    box.querySelector(".error").hidden = false;
    const again = box.querySelector(".again");
    again.hidden = false;
    again.focus();
  }

  function send(what) {
    last = what;
    const box = dialog();
    box.querySelector(".error").hidden = box.querySelector(".again").hidden = true;
    box.querySelector(".state").textContent = "Sending…";
    const bar = box.querySelector("progress");
    bar.hidden = false;
    bar.removeAttribute("value");
    show(what.file, box.querySelector("img"));
    if (!box.open) box.showModal();
    const request = new XMLHttpRequest();
    sending = request;
    request.open("POST", what.address);
    request.setRequestHeader("Accept", "application/json");
    request.upload.addEventListener("progress", (event) => { if (event.lengthComputable) bar.value = event.loaded / event.total; });
    request.upload.addEventListener("load", () => {
      box.querySelector(".state").textContent = "Searching…";
      bar.removeAttribute("value");
    });
    request.addEventListener("load", () => {
      let answer = {};
      try { answer = JSON.parse(request.responseText); } catch { /* from a proxy */ }
      if (request.status === 201) {
        box.querySelector(".state").textContent = "Found. Opening…";
        location.assign(answer.page);
      } else {
        const text = answer.detail || `The server answered ${request.status}`;
        fail(`${text[0].toUpperCase()}${text.slice(1)}.`);
      }
    });
    request.addEventListener("error", () => fail(TROUBLE));
    request.addEventListener("timeout", () => fail(TROUBLE));
    request.send(what.data);
  }

  function take(files) {
    const file = [...files].find((one) => one.type.startsWith("image/"));
    const link = document.getElementById("own-picture");
    if (!file || !link) return false;
    const form = document.querySelector("form.drop");
    if (form && form.elements.do.value === "audit") {
      const held = new DataTransfer();
      held.items.add(file);
      form.elements.picture.files = held.files;
      form.requestSubmit();
      return true;
    }
    const data = new FormData(form || undefined);
    data.set("picture", file, file.name || "picture");
    send({ file, data, address: link.href });
    return true;
  }

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!form.matches("form.drop") || form.elements.do.value !== "similar") return;
    const file = form.elements.picture.files[0];
    if (!file) return; // an address, or nothing: the server says what is wrong with it
    event.preventDefault();
    send({ file, data: new FormData(form), address: form.action });
  });

  document.addEventListener("change", (event) => {
    if (event.target.matches('form.drop input[type="file"]') && event.target.files[0]) {
      show(event.target.files[0], event.target.form.querySelector(".preview"));
    }
  });

  const brings = (event) => event.dataTransfer && [...event.dataTransfer.types].includes("Files");
  let ours = false; // a banner of this page that is being dragged is no picture of one's own
  document.addEventListener("dragstart", () => { ours = true; });
  document.addEventListener("dragend", () => { ours = false; });
  document.addEventListener("dragover", (event) => {
    if (ours || !brings(event)) return;
    event.preventDefault();
    document.body.classList.add("dropping");
  });
  document.addEventListener("dragleave", (event) => { if (!event.relatedTarget) document.body.classList.remove("dropping"); });
  document.addEventListener("drop", (event) => {
    document.body.classList.remove("dropping");
    if (ours || !event.dataTransfer) return;
    if (brings(event) || event.dataTransfer.files.length) {
      event.preventDefault();
      if (!take(event.dataTransfer.files)) {
        last = null;
        const box = dialog();
        if (!box.open) box.showModal();
        fail("That is not a picture. Drop a JPEG, PNG, WebP or another picture.");
        box.querySelector(".again").hidden = true;
      }
    }
  });
  document.addEventListener("paste", (event) => {
    if (event.clipboardData && take(event.clipboardData.files)) event.preventDefault();
  });
  addEventListener("pageshow", () => document.getElementById("sending")?.close()); // after going back

  // A part of a picture: left, top, width and height as fractions of it.
  const STEP = 0.05;
  const LEAST = 0.04;
  const fields = (crop) => [...crop.closest("form").querySelectorAll('input[name="crop"]')];
  const within = (value, least, most) => Math.min(Math.max(value, least), most);
  const tidy = (value) => String(Math.round(value * 1000) / 1000);

  function rectangle(crop) {
    const values = fields(crop).map((field) => field.value);
    return values.every((value) => value !== "") ? values.map(Number) : null;
  }

  function drawn(crop) {
    const found = rectangle(crop) || [0, 0, 0, 0];
    ["x", "y", "width", "height"].forEach((name, place) => crop.querySelector("rect").setAttribute(name, found[place]));
  }

  function choose(crop, [x, y, width, height], tell) {
    width = within(width, LEAST, 1);
    height = within(height, LEAST, 1);
    x = within(x, 0, 1 - width);
    y = within(y, 0, 1 - height);
    const values = [x, y, width, height].map(tidy);
    fields(crop).forEach((field, place) => { field.value = values[place]; });
    drawn(crop);
    if (!tell) return;
    const shown = values.map((value) => `${Math.round(100 * value)} %`);
    crop.closest("form").querySelector('[role="status"]').textContent =
      `left ${shown[0]}, top ${shown[1]}, width ${shown[2]}, height ${shown[3]}`;
  }

  function place(crop, event) {
    const box = crop.getBoundingClientRect();
    return [within((event.clientX - box.left) / box.width, 0, 1), within((event.clientY - box.top) / box.height, 0, 1)];
  }

  document.addEventListener("pointerdown", (event) => {
    const crop = event.target.closest(".crop");
    if (!crop || event.button) return;
    event.preventDefault();
    crop.focus({ preventScroll: true });
    const [x, y] = place(crop, event);
    const draw = (moved) => {
      const [left, top] = place(crop, moved);
      if (Math.hypot(left - x, top - y) > 0.02) choose(crop, [Math.min(x, left), Math.min(y, top), Math.abs(left - x), Math.abs(top - y)]);
    };
    const stop = (ended) => {
      crop.removeEventListener("pointermove", draw);
      crop.removeEventListener("pointerup", stop);
      crop.removeEventListener("pointercancel", stop);
      if (rectangle(crop)) choose(crop, rectangle(crop), ended.type === "pointerup");
    };
    crop.setPointerCapture(event.pointerId);
    crop.addEventListener("pointermove", draw);
    crop.addEventListener("pointerup", stop);
    crop.addEventListener("pointercancel", stop);
  });

  document.addEventListener("keydown", (event) => {
    const crop = event.target.closest?.(".crop");
    if (!crop || event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.key === "Enter") {
      event.preventDefault();
      if (rectangle(crop)) crop.closest("form").requestSubmit();
      return;
    }
    const step = { ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0], ArrowUp: [0, -STEP], ArrowDown: [0, STEP] }[event.key];
    if (!step) return;
    event.preventDefault();
    const known = rectangle(crop);
    const [x, y, width, height] = known || [0.25, 0.25, 0.5, 0.5];
    if (!known) choose(crop, [x, y, width, height], true);
    else if (event.shiftKey) choose(crop, [x, y, within(width + step[0], LEAST, 1 - x), within(height + step[1], LEAST, 1 - y)], true);
    else choose(crop, [x + step[0], y + step[1], width, height], true);
  });

  document.addEventListener("input", (event) => {
    const form = event.target.name === "crop" && event.target.form;
    const crop = form && form.querySelector(".crop");
    if (crop) drawn(crop);
  });

  // Pairs of duplicates: one key decides about the pair that has the focus.
  document.addEventListener("keydown", (event) => {
    const pair = event.target.closest?.("[data-decides]");
    if (!pair || event.ctrlKey || event.altKey || event.metaKey) return;
    const verdict = { s: "same", d: "different", k: "keep" }[event.key];
    const step = { n: 1, p: -1 }[event.key];
    if (verdict) {
      event.preventDefault();
      if (!event.repeat) pair.querySelector(`button[value="${verdict}"]`).click();
    } else if (step) {
      const all = [...document.querySelectorAll("[data-decides]")];
      all[all.indexOf(pair) + step]?.focus();
    }
  });

  function ready() {
    document.documentElement.classList.add("script");
    document.querySelectorAll(".crop").forEach((crop) => {
      crop.tabIndex = 0;
      crop.setAttribute("role", "group");
      crop.setAttribute("aria-label", "Picture to draw a rectangle on: arrow keys move it, Shift and arrow keys resize it, Enter searches");
    });
  }
  ready();
  document.addEventListener("htmx:load", ready);
})();
