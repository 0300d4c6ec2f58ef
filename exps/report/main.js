// The page, from top to bottom.
function panel(title, note, list, small = false, body = null) {
  const box = el("section", { "aria-label": title, "data-panel": title }, el("h2", {}, title));
  if (note.length) box.append(el("p", { class: "note" }, ...[note].flat()));
  box.append(body ?? el("div", { class: small ? "charts small" : "charts" }, ...list));
  return box;
}

const preference = matchMedia("(prefers-color-scheme: dark)");
let chosenTheme = null;  // by the button; until then the system's counts
function setTheme(dark) {
  document.documentElement.dataset.theme = dark ? "dark" : "light";
  const button = document.getElementById("theme");
  button.textContent = dark ? "Light" : "Dark";
  button.setAttribute("aria-label", `${button.textContent} theme`);
  paintSamples();
  redraw();
}

document.documentElement.dataset.theme = preference.matches ? "dark" : "light";
verdicts();
legend();
for (const make of [curvePanel, finalPanel, taskPanel, matrixPanel, stepPanel, sparsityPanel,
  costPanel, settingsPanel, provenancePanel, skippedPanel]) {
  const made = make();
  if (made) document.getElementById("panels").append(made);
}
setTheme(isDark());

document.getElementById("theme").addEventListener("click", () => {
  chosenTheme = !isDark();
  setTheme(chosenTheme);
});
preference.addEventListener("change", () => {
  if (chosenTheme === null) setTheme(preference.matches);
});
let resizing = 0, lastWidth = innerWidth;
addEventListener("resize", () => {
  if (innerWidth === lastWidth) return;
  lastWidth = innerWidth;
  clearTimeout(resizing);
  resizing = setTimeout(redraw, 150);
});

// Paper is white, and nothing on it scrolls into view.
let themeBeforePrint = false;
addEventListener("beforeprint", () => {
  themeBeforePrint = isDark();
  if (themeBeforePrint) setTheme(false);
  for (const one of figures) if (one.stale && !one.box.hidden) one.draw();
});
addEventListener("afterprint", () => { if (themeBeforePrint) setTheme(true); });

document.getElementById("download").addEventListener("click", () => {
  const text = document.getElementById("engram-data").textContent;
  const file = new Blob([text], { type: "application/json" });
  el("a", { href: URL.createObjectURL(file), download: "engram.json" }).click();
});
