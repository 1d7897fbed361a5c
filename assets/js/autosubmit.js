// A form of filters sends itself when a choice changes; its button is for those without scripts.
for (const form of document.querySelectorAll("form[data-autosubmit]")) {
  for (const button of form.querySelectorAll("button[type=submit]:not([name])")) button.hidden = true;
  form.addEventListener("change", (event) => {
    if (event.target.matches("select, input[type=checkbox], input[type=radio]")) form.requestSubmit();
  });
}
