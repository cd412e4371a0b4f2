// The menu is wider than a phone: bring the page we are on into sight. Without this script it is reached by scrolling the menu.
"use strict";
for (const here of document.querySelectorAll(".menu [aria-current]")) {
  here.closest("ul").scrollLeft = here.offsetLeft - 16;
}
