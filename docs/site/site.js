// Tables that are wider than the page scroll with the keys too.
addEventListener("load", () => {
  for (const one of document.querySelectorAll(".md-typeset__scrollwrap")) if (one.scrollWidth > one.clientWidth) one.tabIndex = 0;
});
