// Sets the theme before the first paint: the device's, unless the person chose one on this device.
(() => {
  const KEY = "cx-theme";
  const root = document.documentElement;

  const apply = (choice) => {
    if (choice === "light" || choice === "dark") {
      root.dataset.bsTheme = choice;
    } else {
      delete root.dataset.bsTheme;
    }
  };

  const stored = () => {
    try {
      return localStorage.getItem(KEY);
    } catch {
      return null; // Storage may be forbidden; the device's theme is then right.
    }
  };

  apply(stored());

  document.addEventListener("DOMContentLoaded", () => {
    for (const button of document.querySelectorAll("[data-theme-choice]")) {
      const choice = button.dataset.themeChoice;
      button.setAttribute("aria-pressed", String((stored() ?? "device") === choice));
      button.addEventListener("click", () => {
        try {
          if (choice === "device") localStorage.removeItem(KEY);
          else localStorage.setItem(KEY, choice);
        } catch {
          // Not kept, still applied to this page.
        }
        apply(choice);
        for (const other of document.querySelectorAll("[data-theme-choice]")) {
          other.setAttribute("aria-pressed", String(other === button));
        }
        document.dispatchEvent(new CustomEvent("cx:theme"));
      });
    }
  });
})();
