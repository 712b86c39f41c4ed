/* Dialogs that ask before they act: opened by htmx into Unfold's modal, sent by POST. See apps/kit/dialogs.py. */
(() => {
  const EXPECTED = new Set([403, 404, 409, 422]);
  const box = () => document.getElementById("modal-content");
  const open = () => dispatchEvent(new Event("opendialog"));
  const words = () => document.getElementById("modal-overlay").dataset; // translated by the server
  const isOurs = (target) => target?.closest?.(".t-dialog");

  const close = (button) => {
    if (button.closest("#modal-content")) dispatchEvent(new Event("closedialog"));
    else history.back();
  };

  const sorry = (target) => {
    target.querySelector("#dialog .body .t-note[data-failed]")?.remove();
    const note = document.createElement("div");
    note.className = "t-note";
    note.dataset.tone = "unknown";
    note.dataset.failed = "";
    note.setAttribute("role", "alert");
    note.textContent = words().failed;
    (target.querySelector("#dialog .body") || target).prepend(note);
    open();
  };

  const TYPED = /^(\d+|\d{1,3}(,\d{3})+|\d{1,3}( \d{3})+)(\.\d+)?$/;

  /* An amount as it is meant, as apps/kit/typed_sums.py reads it: without marks between thousands and zeros at the end. */
  const plain = (text, currency, decimals) => {
    const written = text.replace(/\s+/g, " ").trim().replace(currency, "").trim();
    if (!TYPED.test(written) || (written.split(".")[1] || "").length > decimals) return null;
    const digits = written.replace(/[, ]/g, "").replace(/^0+(?=\d)/, "");
    return digits.includes(".") ? digits.replace(/0+$/, "").replace(/\.$/, "") : digits;
  };

  const matches = (field) => {
    const isMoney = field.dataset.named !== undefined;
    if (!isMoney) return field.value === field.dataset.typed;
    const currency = new RegExp(`^${field.dataset.named.split(" ")[0]}`);
    const decimals = (field.dataset.typed.split(".")[1] || "").length;
    return plain(field.value, currency, decimals) === plain(field.dataset.typed, currency, decimals);
  };

  /* The button waits until what is to be typed by hand is typed. The server asks again. */
  const judge = (form) => {
    const fields = [...form.querySelectorAll("[data-typed]")];
    if (!fields.length) return;
    fields.forEach((field) => {
      const help = document.getElementById(`help_${field.name}`);
      help.dataset.hint ??= help.textContent;
      const good = matches(field);
      help.textContent = good ? words().matches.replace("{}", field.dataset.named || field.value) : help.dataset.hint;
      help.classList.toggle("is-good", good);
    });
    form.querySelector("[type=submit]").disabled = !fields.every(matches);
  };

  /* The picture that was chosen, on the white that it will stand on, before it is sent. */
  const preview = (field) => {
    field.parentElement.querySelector(".p-picked")?.remove();
    const [file] = field.files;
    if (!file?.type.startsWith("image/")) return;
    const reader = new FileReader();
    reader.onload = () => {
      const picture = Object.assign(document.createElement("img"), { className: "p-picked", alt: "", src: reader.result });
      field.after(picture);
    };
    reader.readAsDataURL(file);
  };

  addEventListener("DOMContentLoaded", () => {
    const body = document.body;

    body.addEventListener("htmx:beforeSwap", (event) => {
      const { target, xhr } = event.detail;
      if (!isOurs(target)) return;
      if (EXPECTED.has(xhr.status)) Object.assign(event.detail, { shouldSwap: true, isError: false });
      // Signed out in the meantime: the answer is another page than a dialog.
      if (event.detail.shouldSwap && !xhr.responseText.includes("data-dialog")) {
        event.detail.shouldSwap = false;
        location.reload();
      }
    });
    body.addEventListener("htmx:afterSwap", (event) => {
      const target = event.detail.target;
      if (!isOurs(target)) return;
      delete target.dataset.typed;
      const form = target.querySelector("form[data-dialog]");
      if (form) judge(form);
      if (target === box()) open();
      const wrong = target.querySelector("[aria-invalid=true]");
      const first = target.querySelector(".p-fields :is(input, select, textarea)") || target.querySelector("[autofocus]");
      // Who has begun to type keeps his field, unless another one was refused.
      setTimeout(() => {
        if (wrong || !target.querySelector(":is(input, select, textarea):focus")) (wrong || first)?.focus();
      }, 60);
    });
    for (const failure of ["htmx:responseError", "htmx:sendError"])
      body.addEventListener(failure, (event) => { if (isOurs(event.detail.target)) sorry(event.detail.target); });

    document.addEventListener("input", (event) => {
      const form = event.target.closest?.("form[data-dialog]");
      if (!form) return;
      form.closest(".t-dialog").dataset.typed = "";
      judge(form);
    });
    document.addEventListener("change", (event) => {
      if (event.target.matches?.("[data-picture]")) preview(event.target);
    });
    document.addEventListener("click", (event) => {
      const button = event.target.closest?.("[data-close]");
      if (button) close(button);
    });
    document.querySelectorAll("form[data-dialog]").forEach(judge);
  });
})();
