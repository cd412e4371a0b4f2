/* Covers the page at one press of Escape, and takes the cover off again. Loaded by every page; all of it also works by the link. */
"use strict";
(() => {
  const onCover = document.body.classList.contains("covered");
  const back = () => {
    if (history.length > 1) history.back();
    else location.assign("/");
  };
  if (onCover) {
    const link = document.getElementById("uncover");
    link.addEventListener("click", (event) => {
      event.preventDefault();
      back();
    });
    link.focus();
  }
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || event.defaultPrevented || event.isComposing) return;
    if (onCover) {
      back();
      return;
    }
    if (!document.getElementById("cover")) return;
    if (event.target instanceof HTMLElement && event.target.closest("textarea, input, select")) {
      /* The first press leaves the field, so that half a sentence is not lost to a slip; the second covers. */
      event.target.blur();
      return;
    }
    location.assign("/cover");
  });
})();
