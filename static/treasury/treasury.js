/* Small corrections to Unfold, and what the portal's own pages need. Loaded in <head>, before Unfold's app.js. */
(() => {
  // Unfold opens a 288px sidebar unless a width is stored; it offers no setting.
  if (!localStorage.getItem("sidebarWidth")) localStorage.setItem("sidebarWidth", "248");

  // Unfold reads the system's scheme once: follow it when the evening comes.
  addEventListener("alpine:initialized", () => {
    const page = document.documentElement, dark = matchMedia("(prefers-color-scheme: dark)"), theme = Alpine.$data(page);
    const paint = () => page.classList.toggle("dark", theme.adminTheme === "dark" || (theme.adminTheme === "auto" && dark.matches));
    Alpine.effect(paint);
    dark.addEventListener("change", paint);
  });

  // Names of icon buttons that Unfold leaves out.
  const wordsOf = (owner) => {
    let words = owner.textContent;
    owner.querySelectorAll(".material-symbols-outlined").forEach((icon) => { words = words.replace(icon.textContent, ""); });
    return words.trim();
  };
  const name = (root) => {
    root.querySelectorAll(".material-symbols-outlined:not([aria-hidden])").forEach((icon) => {
      icon.setAttribute("aria-hidden", "true");
      const owner = icon.closest("a, button");
      if (owner && !owner.getAttribute("aria-label") && !wordsOf(owner))
        owner.setAttribute("aria-label", owner.title || icon.textContent.trim().replaceAll("_", " "));
    });
  };

  // Django draws its calendar and clock beside a field when everything is loaded, and names only their pictures.
  const nameShortcuts = () => document.querySelectorAll(".datetimeshortcuts a").forEach((link) => {
    const picture = link.querySelector("[title]");
    if (picture && !link.getAttribute("aria-label")) link.setAttribute("aria-label", picture.title);
  });
  addEventListener("load", () => setTimeout(nameShortcuts));

  // Copies an identifier or an amount as it is meant for machines; the button says that it did.
  const copy = async (button) => {
    await navigator.clipboard.writeText(button.dataset.copy);
    const icon = button.querySelector(".t-i");
    icon.textContent = "check";
    setTimeout(() => { icon.textContent = "content_copy"; }, 1500);
  };

  const reveal = (button) => {
    const field = document.getElementById(button.dataset.reveal);
    const shown = field.type === "password";
    field.type = shown ? "text" : "password";
    button.setAttribute("aria-pressed", String(shown));
    button.querySelector(".t-i").textContent = shown ? "visibility_off" : "visibility";
  };

  // The card of a job's progress is replaced every few seconds: its state is said once, beside it.
  const sayState = () => {
    const said = document.getElementById("progress-said");
    const state = document.getElementById("progress")?.dataset.state;
    if (said && state && said.textContent !== state) said.textContent = state;
  };

  addEventListener("DOMContentLoaded", () => {
    name(document);
    document.body.addEventListener("htmx:beforeSwap", (event) => {
      const { target, shouldSwap, xhr } = event.detail;
      // Signed out in the meantime: the answer is another page than the card.
      if (target.id === "progress" && shouldSwap && !xhr.responseText.includes('id="progress"')) {
        event.detail.shouldSwap = false;
        location.reload();
      }
    });
    document.body.addEventListener("htmx:afterSwap", sayState);
    document.body.addEventListener("htmx:afterSwap", (event) => name(event.target));
    document.querySelectorAll("[data-copy], [data-reveal]").forEach((button) => { button.hidden = false; });
    document.addEventListener("click", (event) => {
      const button = event.target.closest?.("[data-copy], [data-reveal], [data-open-all]");
      if (!button) return;
      if (button.dataset.copy !== undefined) copy(button);
      else if (button.dataset.reveal !== undefined) reveal(button);
      else {
        const all = [...document.querySelectorAll(`${button.dataset.openAll} details`)];
        const open = all.some((one) => !one.open);
        all.forEach((one) => { one.open = open; });
        button.setAttribute("aria-expanded", String(open));
      }
    });
  });
})();
