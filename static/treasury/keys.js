/* Keys of the portal: G and a letter goes somewhere, J and K walk through rows, X selects, Esc clears. The sheet is "?".
   One letter never books or moves money. Off in the profile (WCAG 2.1.4), and never inside a field, a list or a dialog. */
(() => {
  const GO_MS = 1500;
  const SWITCH = "treasuryKeys";
  const BUSY = "input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable=true], [role=listbox], [role=dialog], #modal-content";
  const ROWS = "#result_list tr.data-row, [data-rows] > *, .t-table tbody tr:has(a, button)";
  let goUntil = 0;

  const isOff = () => localStorage.getItem(SWITCH) === "off";
  const isDialogOpen = () => [...document.querySelectorAll("[role=dialog]")].some((one) => one.offsetParent !== null);
  const rows = () => [...document.querySelectorAll(ROWS)].filter((row) => row.offsetParent !== null && row.querySelector("a, button"));
  const rowAt = () => document.activeElement?.closest?.(ROWS);

  const go = (letter) => {
    const target = document.querySelector(`[data-go="${CSS.escape(letter)}"]`);
    if (target) location.assign(target.dataset.url);
  };

  /* The focus itself moves, so that Enter opens and a screen reader says where it is. */
  const walk = (step) => {
    const all = rows();
    if (!all.length) return;
    const now = all.indexOf(rowAt());
    const next = all[Math.min(all.length - 1, Math.max(0, now + step))];
    (next.querySelector("th a, td a, a") || next.querySelector("button")).focus();
    next.scrollIntoView({ block: "nearest" });
  };

  const select = () => {
    const box = rowAt()?.querySelector("input.action-select");
    if (box) box.click();
  };

  const clear = () => {
    document.querySelectorAll("input.action-select:checked").forEach((box) => box.click());
  };

  const press = (event) => {
    const key = event.key.toLowerCase();
    if (Date.now() < goUntil) {
      goUntil = 0;
      go(key);
    } else if (key === "g") goUntil = Date.now() + GO_MS;
    else if (key === "j") walk(1);
    else if (key === "k") walk(-1);
    else if (key === "x") select();
    else if (key === "?") {
      const state = window.Alpine.$data(document.documentElement); // Unfold wants Shift with it, which not every keyboard has
      state.shortcutsOpen = !state.shortcutsOpen;
    }
    else return false;
    return true;
  };

  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !isDialogOpen()) return clear();
    if (event.key.length !== 1 || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest?.(BUSY) || isDialogOpen() || isOff()) {
      // Unfold's own letters obey the same rules; in a field they are what is typed.
      if (!event.target.closest?.("input, textarea") || isOff()) event.stopImmediatePropagation();
      return;
    }
    if (press(event)) {
      event.preventDefault();
      event.stopImmediatePropagation();
    }
  }, true);

  /* What the selected rows come to, per currency: read from the column of amounts. */
  const sum = () => {
    const shown = document.querySelector("[data-sums]");
    if (!shown) return;
    const sums = new Map();
    document.querySelectorAll("tr:has(input.action-select:checked) [class*=field-amount] .t-money[data-minor]").forEach((money) => {
      const { currency, minor, scale } = money.dataset;
      const [before] = sums.get(currency) || [0n];
      sums.set(currency, [before + BigInt(minor), Number(scale)]);
    });
    shown.textContent = [...sums].map(([currency, [minor, scale]]) => `${currency} ${text(minor, scale)}`).join(", ");
  };
  const text = (minor, scale) => {
    const digits = String(minor < 0n ? -minor : minor).padStart(scale + 1, "0");
    const whole = digits.slice(0, digits.length - scale).replace(/\B(?=(\d{3})+$)/g, ",");
    return `${minor < 0n ? "\u2212" : ""}${whole}${scale ? `.${digits.slice(-scale)}` : ""}`;
  };

  addEventListener("DOMContentLoaded", () => {
    document.addEventListener("change", (event) => { if (event.target.matches("input.action-select, #action-toggle")) setTimeout(sum); });
    document.querySelectorAll("[data-keys]").forEach((box) => {
      box.checked = !isOff();
      box.addEventListener("change", () => {
        localStorage.setItem(SWITCH, box.checked ? "on" : "off");
        document.querySelectorAll("[data-keys]").forEach((other) => { other.checked = box.checked; });
      });
    });
  });
})();
