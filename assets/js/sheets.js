// Opens and closes dialogs and sheets: data-sheet-open="id", data-sheet-close; a click on the veil closes too.
// A sheet whose form has not come yet is told to the opener as "sheet-empty"; one that has keeps what was entered.
document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-sheet-open]");
  if (opener) {
    event.preventDefault();
    const sheet = document.getElementById(opener.dataset.sheetOpen);
    sheet?.showModal();
    if (sheet && !sheet.querySelector("form:not([method=dialog])")) opener.dispatchEvent(new Event("sheet-empty"));
    return;
  }
  const closer = event.target.closest("[data-sheet-close]");
  if (closer) {
    closer.closest("dialog")?.close();
    return;
  }
  if (event.target instanceof HTMLDialogElement && event.target.matches(".cx-dialog")) {
    const box = event.target.getBoundingClientRect();
    const isInside =
      event.clientX >= box.left && event.clientX <= box.right && event.clientY >= box.top && event.clientY <= box.bottom;
    if (!isInside) event.target.close();
  }
});

// A dialog that came back with errors is opened again.
for (const dialog of document.querySelectorAll("dialog[data-sheet-start]")) dialog.showModal();
