// Dropped or pasted pictures. The form does the same without it.
(() => {
  "use strict";
  function send(files) {
    const picture = [...files].find((file) => file.type.startsWith("image/"));
    const form = document.querySelector("form.drop");
    if (!picture || !form) return false;
    const held = new DataTransfer();
    held.items.add(picture);
    form.querySelector('input[type="file"]').files = held.files;
    form.requestSubmit();
    return true;
  }

  document.addEventListener("dragover", (event) => {
    const form = document.querySelector("form.drop");
    if (!form) return;
    event.preventDefault();
    form.classList.add("over");
  });
  document.addEventListener("dragleave", () => document.querySelector("form.drop")?.classList.remove("over"));
  document.addEventListener("drop", (event) => {
    if (event.dataTransfer && document.querySelector("form.drop")) {
      event.preventDefault();
      send(event.dataTransfer.files);
    }
  });
  document.addEventListener("paste", (event) => {
    if (event.clipboardData && send(event.clipboardData.files)) event.preventDefault();
  });
})();
