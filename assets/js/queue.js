// A list of entries walked through and decided on by keys: j/k or arrows move, x ticks, Enter opens, ? helps,
// and the letter of a button ([data-key]) presses it for the entry that is in focus.
const queue = document.querySelector("[data-queue]");

if (queue) {
  const items = [...queue.querySelectorAll("[data-queue-item]")];
  const help = document.querySelector("[data-queue-help]");
  const all = queue.querySelector("[data-queue-all]");
  const opener = (item) => item.querySelector("[data-queue-open]");
  const here = () => items.find((item) => item.contains(document.activeElement)) ?? null;

  const go = (step) => {
    const current = here();
    const next = current ? items[items.indexOf(current) + step] : items[0];
    if (!next) return;
    opener(next).focus();
    next.scrollIntoView({ block: "nearest" });
  };

  const keys = {
    j: () => go(1),
    ArrowDown: () => go(1),
    k: () => go(-1),
    ArrowUp: () => go(-1),
    x: (item) => item?.querySelector("input[name=item]")?.click(),
    "?": () => {
      help.open = !help.open;
      if (help.open) help.scrollIntoView({ block: "nearest" });
    },
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("input:not([type=checkbox]), textarea, select, dialog, [contenteditable]")) return;
    const item = here();
    const act = keys[event.key];
    const button = item && !act ? item.querySelector(`[data-key="${CSS.escape(event.key)}"]`) : null;
    if (!act && !button) return;
    event.preventDefault();
    if (act) act(item);
    else if (!event.repeat) button.click();
  });

  all?.addEventListener("change", () => {
    for (const box of queue.querySelectorAll("input[name=item]")) box.checked = all.checked;
  });
}
