// A part of a picture, drawn on it. The fields of its form do the same without a script.
(() => {
  "use strict";
  // The rectangle: left, top, width and height as fractions of it.
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
  document.addEventListener("drawn", ready); // by the script of an exported site
})();
