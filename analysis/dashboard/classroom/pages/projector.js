// The teacher's page as a slide: who joins how, the class's day and the best scores, in large type. The same switch, key
// and place in the browser as on the other pages.

import { make } from "./shared.js";

const KEPT = "meanwatt:projector";

function kept(name) {
  try {
    return localStorage.getItem(name);
  } catch (error) {  // a browser may refuse to keep anything
    return null;
  }
}

function on() {
  return document.documentElement.classList.contains("mw-projector");
}

function show(wanted) {
  document.documentElement.classList.toggle("mw-projector", wanted);
  fit();
}

function set(wanted) {
  try {
    localStorage.setItem(KEPT, wanted ? "on" : "off");
  } catch (error) {
    show(wanted);
  }
  show(wanted);
}

function fit() {
  const scale = Math.max(0.75, Math.min(window.innerWidth / 1280, window.innerHeight / 720));
  document.documentElement.style.setProperty("--mw-slide", String(scale));
}

function typing(at) {
  return at && (at.isContentEditable || ["TEXTAREA", "SELECT"].includes(at.tagName) || (at.tagName === "INPUT" && !["range", "checkbox", "radio"].includes(at.type)));
}

function pressed(event) {
  if (kept("meanwatt:keys") === "off" || event.ctrlKey || event.metaKey || event.altKey || event.repeat || event.key.toLowerCase() !== "p") {
    return;
  }
  if (!typing(event.target) && !document.querySelector("dialog[open]")) {
    event.preventDefault();
    set(!on());
  }
}

// Two buttons: one to go on the slide, among the others, and one to leave it, which the slide alone shows.
export function projector() {
  window.addEventListener("keydown", pressed);
  window.addEventListener("resize", fit);
  const asked = new URLSearchParams(location.search).get("projector");
  show(asked === null ? kept(KEPT) === "on" : !["0", "no", "off"].includes(asked));
  return [
    make("button", { class: "mw-button cm-slide", type: "button", title: "In large type, without what is not for the class (P)", onclick: () => set(true) }, "Projector"),
    make("button", { class: "mw-button cm-unslide", type: "button", title: "P", onclick: () => set(false) }, "Leave the projector"),
  ];
}
