// Toasts leave by themselves, except errors; they wait while they are pointed at or focused.
// A response may bring one along: HX-Trigger: {"toast": {"text": "…", "level": "success"}}.
const LINGER = 7000;

const dismissLater = (toast) => {
  let timer = 0;
  const start = () => {
    timer = setTimeout(() => toast.remove(), LINGER);
  };
  const stop = () => clearTimeout(timer);
  for (const event of ["pointerenter", "focusin"]) toast.addEventListener(event, stop);
  for (const event of ["pointerleave", "focusout"]) toast.addEventListener(event, start);
  start();
};

const adopt = (toast) => {
  toast.querySelector("[data-toast-close]")?.addEventListener("click", () => toast.remove());
  if (!toast.classList.contains("cx-toast--error")) dismissLater(toast);
};

const area = document.querySelector("[data-toasts]");

const show = (text, level) => {
  const template = document.querySelector("template[data-toast]");
  if (!area || !template) return;
  const toast = template.content.firstElementChild.cloneNode(true);
  toast.classList.add(`cx-toast--${level}`);
  toast.querySelector("[data-toast-text]").textContent = text;
  area.append(toast);
  adopt(toast);
};

if (area) {
  for (const toast of area.children) adopt(toast);
  document.body.addEventListener("toast", (event) => show(event.detail.text, event.detail.level ?? "success"));
  for (const name of ["htmx:responseError", "htmx:sendError"]) {
    document.body.addEventListener(name, () => show(area.dataset.failure, "error"));
  }
}
