// Tables wider than the page can be scrolled with the keyboard.
addEventListener("load", () => {
  for (const one of document.querySelectorAll(".md-typeset__scrollwrap")) if (one.scrollWidth > one.clientWidth) one.tabIndex = 0;
});
