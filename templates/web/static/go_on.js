// Sends the page's one form at once, unless the reader came back to it. Without this script they press its button.
"use strict";
(() => {
  const [arrival] = performance.getEntriesByType("navigation");
  const form = document.querySelector("form[data-go-on]");
  if (form && !(arrival && arrival.type === "back_forward")) form.requestSubmit();
})();
