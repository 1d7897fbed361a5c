// A tree whose items are folded, walked through and moved, by pointer or keyboard.
// [data-tree] holds [role=treeitem] with data-term and data-move; [data-tree-form] posts the new parent.
const tree = document.querySelector("[data-tree]");

if (tree) {
  const form = document.querySelector("[data-tree-form]");
  const said = document.querySelector("[data-tree-say]");
  const top = tree.querySelector("[data-top]");
  let carried = null;

  const items = () => [...tree.querySelectorAll("[role=treeitem]")].filter((item) => item.offsetParent !== null);
  const group = (item) => item.querySelector(":scope > [role=group]");
  const isOpen = (item) => item.getAttribute("aria-expanded") === "true";
  const name = (item) => item.getAttribute("aria-label");
  const say = (kind, item) => {
    said.textContent = tree.dataset[kind].replace("NAME", name(item));
  };

  const focus = (item) => {
    if (!item) return;
    for (const other of tree.querySelectorAll("[role=treeitem][tabindex='0']")) other.tabIndex = -1;
    item.tabIndex = 0;
    item.focus();
  };

  const fold = (item, open) => {
    const under = group(item);
    if (!under) return;
    if (open && !under.children.length) window.htmx.trigger(item.querySelector(":scope > [data-row] > [data-fold]"), "unfold");
    under.hidden = !open;
    item.setAttribute("aria-expanded", String(open));
  };

  const pick = (item) => {
    carried = item;
    item.classList.add("cx-editor__item--carried");
    say("picked", item);
  };

  const leave = () => {
    if (!carried) return;
    carried.classList.remove("cx-editor__item--carried");
    say("left", carried);
    carried = null;
  };

  const mayDrop = (item) => carried && item && item !== carried && !carried.contains(item);

  const drop = (item) => {
    if (!mayDrop(item)) return;
    say("moving", carried);
    form.action = carried.dataset.move;
    form.elements.parent.value = item.dataset.term;
    form.submit();
  };

  const keys = {
    ArrowDown: (item, list) => focus(list[list.indexOf(item) + 1]),
    ArrowUp: (item, list) => focus(list[list.indexOf(item) - 1]),
    Home: (_item, list) => focus(list[0]),
    End: (_item, list) => focus(list.at(-1)),
    ArrowRight: (item) => {
      if (!group(item)) return;
      if (isOpen(item)) focus(group(item).querySelector("[role=treeitem]"));
      else fold(item, true);
    },
    ArrowLeft: (item) => {
      if (isOpen(item)) fold(item, false);
      else focus(item.parentElement.closest("[role=treeitem]"));
    },
    Enter: (item) => (carried ? drop(item) : item.querySelector(":scope > [data-row] > [data-edit]")?.click()),
    Escape: leave,
    m: (item) => (carried ? leave() : item === top || pick(item)),
  };

  tree.addEventListener("keydown", (event) => {
    const item = event.target.closest("[role=treeitem]");
    const act = keys[event.key] ?? keys[event.key.toLowerCase()];
    if (!item || !act || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    act(item, items());
  });

  tree.addEventListener("click", (event) => {
    const toggle = event.target.closest("[data-fold]");
    if (!toggle) return;
    event.preventDefault();
    const item = toggle.closest("[role=treeitem]");
    fold(item, !isOpen(item));
    focus(item);
  });

  const over = (item) => {
    for (const other of tree.querySelectorAll(".cx-editor__item--over")) other.classList.remove("cx-editor__item--over");
    if (mayDrop(item)) item.classList.add("cx-editor__item--over");
  };

  const makeDraggable = (root) => {
    for (const row of root.querySelectorAll("[data-row]")) row.draggable = !row.closest("[data-top]");
  };

  tree.addEventListener("dragstart", (event) => {
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", event.target.closest("[role=treeitem]").dataset.term);
    const item = event.target.closest("[role=treeitem]");
    // Changing the page at once would end the drag in some browsers.
    setTimeout(() => pick(item));
  });
  tree.addEventListener("dragover", (event) => {
    const item = event.target.closest("[role=treeitem]");
    over(item);
    if (mayDrop(item)) event.preventDefault();
  });
  tree.addEventListener("drop", (event) => {
    event.preventDefault();
    drop(event.target.closest("[role=treeitem]"));
  });
  tree.addEventListener("dragend", () => {
    over(null);
    leave();
  });

  document.addEventListener("htmx:afterSwap", (event) => makeDraggable(event.target));
  makeDraggable(tree);
  const marked = tree.querySelector("[data-marked]");
  (marked ?? items()[1])?.setAttribute("tabindex", "0");
  marked?.scrollIntoView({ block: "center" });
}
