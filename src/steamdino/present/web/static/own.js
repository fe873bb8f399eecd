// A picture of one's own, dropped or pasted on any page. Forms do the same without it.
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
})();
