/* Trees of headings that fold: the browser folds one by Enter or Space; here all of them at once, and by the arrow keys. */
(() => {
  const TREE = "[data-tree]";

  const stops = (tree) => [...tree.querySelectorAll("summary, a")].filter((one) => one.offsetParent !== null);

  const above = (stop) => {
    const own = stop.closest("details");
    const outer = stop.matches("summary") ? own?.parentElement?.closest("details") : own;
    return outer?.querySelector(":scope > summary");
  };

  /* Right unfolds or goes in, left folds or goes out, up and down go to the next line that is seen. */
  const press = (key, stop, tree) => {
    const details = stop.matches("summary") ? stop.parentElement : null;
    const all = stops(tree);
    const at = all.indexOf(stop);
    if (key === "ArrowRight" && details && !details.open) details.open = true;
    else if (key === "ArrowLeft" && details?.open) details.open = false;
    else if (key === "ArrowLeft") above(stop)?.focus();
    else if (key === "ArrowRight" && !details) return false;
    else if (key === "ArrowRight" || key === "ArrowDown") all[at + 1]?.focus();
    else if (key === "ArrowUp") all[at - 1]?.focus();
    else return false;
    return true;
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    const stop = event.target.closest?.("summary, a");
    const tree = stop?.closest(TREE);
    if (tree && press(event.key, stop, tree)) event.preventDefault();
  });

  addEventListener("DOMContentLoaded", () => {
    document.querySelectorAll("[data-fold]").forEach((button) => {
      button.hidden = false;
      button.addEventListener("click", () => {
        document.querySelectorAll(`${TREE} details`).forEach((one) => { one.open = button.dataset.fold === "open"; });
      });
    });
  });
})();
