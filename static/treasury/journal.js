/* The form of a journal: lines are added, the currency follows the account, and the totals are told while one types.
   Nothing is decided here: without this script the same form is sent, and the server says what is wrong. */
(() => {
  const lines = document.getElementById("journal-lines");
  if (!lines) return;
  const form = lines.closest("form");
  const said = document.getElementById("journal-totals");
  const total = form.querySelector("[name=lines-TOTAL_FORMS]");
  const decimals = new Map(lines.dataset.decimals.split(" ").map((pair) => pair.split(":")).map(([code, places]) => [code, Number(places)]));
  const MOST = 200;
  const AMOUNT = /^([0-9]{1,3}(?:,[0-9]{3})+|[0-9]{1,3}(?: [0-9]{3})+|[0-9]+)(?:\.([0-9]+))?$/;

  const rows = () => [...lines.querySelectorAll("[data-line]")];
  const field = (row, name) => row.querySelector(`[name$="-${name}"]`);

  /* A sum in minor units, or null for what is none: exact, for sums may be longer than a number holds. */
  const minor = (text, places) => {
    const match = AMOUNT.exec(text.trim().replace(/\s+/g, " "));
    if (!match || (match[2] || "").length > places) return null;
    return BigInt(match[1].replace(/[ ,]/g, "") + (match[2] || "").padEnd(places, "0"));
  };

  const written = (sum, places) => {
    const digits = sum.toString().padStart(places + 1, "0");
    const whole = digits.slice(0, digits.length - places).replace(/\B(?=([0-9]{3})+$)/g, ",");
    return places ? `${whole}.${digits.slice(-places)}` : whole;
  };

  const currencyOf = (row) => {
    const text = field(row, "account").value.trim();
    const option = [...document.getElementById("accounts").options].find((one) => one.value === text || one.value.split(" ")[0] === text.split(" ")[0]);
    return text && option ? option.dataset.currency : "";
  };

  const tell = () => {
    const sums = new Map();
    rows().forEach((row) => {
      const currency = field(row, "currency").value.toUpperCase() || currencyOf(row);
      if (!decimals.has(currency)) return;
      const sides = sums.get(currency) || [0n, 0n];
      ["debit", "credit"].forEach((name, side) => { sides[side] += minor(field(row, name).value, decimals.get(currency)) ?? 0n; });
      sums.set(currency, sides);
    });
    said.replaceChildren(...[...sums].filter(([, [debits, credits]]) => debits || credits).map(([currency, [debits, credits]]) => {
      const places = decimals.get(currency);
      const difference = debits - credits;
      const words = !difference ? said.dataset.balanced : difference > 0n ? said.dataset.debits : said.dataset.credits;
      const line = document.createElement("span");
      line.className = difference ? "is-short" : "is-even";
      line.textContent = words.replace("{currency}", currency).replace("{debits}", written(debits, places)).replace("{difference}", written(difference < 0n ? -difference : difference, places));
      return line;
    }));
  };

  const add = () => {
    const count = Number(total.value);
    if (count >= MOST) return;
    const last = rows().at(-1);
    const row = last.cloneNode(true);
    row.querySelectorAll("[name], [id], [aria-describedby]").forEach((one) => {
      for (const name of ["name", "id", "aria-describedby"])
        if (one.hasAttribute(name)) one.setAttribute(name, one.getAttribute(name).replace(/lines-[0-9]+-/, `lines-${count}-`));
      one.removeAttribute("aria-invalid");
    });
    row.querySelectorAll("input").forEach((input) => { input.value = ""; });
    row.querySelectorAll(".is-bad").forEach((words) => { words.textContent = ""; });
    const number = row.querySelector(".p-number");
    number.textContent = number.textContent.replace(/[0-9]+/, count + 1);
    last.after(row);
    total.value = count + 1;
    field(row, "account").focus();
  };

  form.querySelector("[data-add]").addEventListener("click", (event) => { event.preventDefault(); add(); });
  form.addEventListener("change", (event) => {
    if (!event.target.name?.endsWith("-account")) return;
    const row = event.target.closest("[data-line]");
    field(row, "currency").value = currencyOf(row);
    tell();
  });
  form.addEventListener("input", tell);
  /* Enter in a field previews; without this it would press the first button of the form, which may ask. */
  form.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.target.tagName !== "INPUT" || event.target.type === "file") return;
    event.preventDefault();
    form.querySelector("[data-preview]").click();
  });
  tell();
})();
