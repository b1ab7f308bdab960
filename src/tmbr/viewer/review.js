"use strict";
// Keys; every one of them presses what is on the page, which works without this script too.
const turns = [...document.querySelectorAll(".turn[data-at]")];
const note = document.querySelector("textarea");
let at = -1;

const press = (selector, inside = document) => inside.querySelector(selector)?.click();
const move = (to) => {
  turns[at]?.classList.remove("at");
  at = Math.max(0, Math.min(turns.length - 1, to));
  turns[at]?.classList.add("at");
  turns[at]?.scrollIntoView({ block: "center" });
};
const keys = {
  j: () => move(at + 1),
  k: () => move(at - 1),
  y: () => press('[name="verdict"][value="keep"]'),
  n: () => press('[name="verdict"][value="drop"]'),
  c: () => turns[at] && press(`.cut[value="${turns[at].dataset.at}"]`),
  m: () => note.focus(),
  h: () => press('[rel="prev"]'),
  l: () => press('[rel="next"]'),
};
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (document.activeElement === note) {
    if (event.key === "Escape") note.blur();
    return;
  }
  if (Object.hasOwn(keys, event.key)) {
    event.preventDefault();
    keys[event.key]();
  }
});
