// A form that asks what a link already said sends itself; its button is for those without scripts.
for (const form of document.querySelectorAll("form[data-send-at-once]")) form.requestSubmit();
