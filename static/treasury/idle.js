/* Says two minutes before a session that nobody uses is over, and lets the person stay. Without it the session just ends. */
(() => {
  const SEEN_AT = "treasury-seen-at", BEFORE = 120_000, LOOK_EVERY = 5_000;

  /* All tabs share the time of the last use: who works in one is not warned in another. */
  const seen = () => localStorage.setItem(SEEN_AT, String(Date.now()));

  addEventListener("DOMContentLoaded", () => {
    const note = document.querySelector("[data-idle-seconds]");
    if (!note) return;
    document.body.append(note);
    const limit = Number(note.dataset.idleSeconds) * 1000;
    const look = () => { note.hidden = limit - (Date.now() - Number(localStorage.getItem(SEEN_AT))) > BEFORE; };
    const stay = async () => {
      const answer = await fetch(note.dataset.stay, { cache: "no-store" });
      if (answer.redirected || !answer.ok) return location.reload();
      seen();
      look();
    };
    seen();
    look();
    note.querySelector("button").addEventListener("click", stay);
    document.addEventListener("htmx:afterRequest", (event) => { if (!event.target.closest?.("[hx-trigger*='every']")) seen(); });
    setInterval(look, LOOK_EVERY);
  });
})();
