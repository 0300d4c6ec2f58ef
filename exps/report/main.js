// The page, from top to bottom.

/** list: figures, or lists of them that each begin a new row. */
function panel(title, note, list, small = false, body = null) {
  const box = el("section", { "aria-label": title, "data-panel": title }, el("h2", {}, title));
  if (note.length) box.append(el("p", { class: "note" }, ...[note].flat()));
  if (body) box.append(body);
  for (const part of list.length && Array.isArray(list[0]) ? list : [list])
    if (part.length) box.append(el("div", { class: small ? "charts small" : "charts" }, ...part));
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
for (const make of [learningPanel, returnPanel, curvePanel, finalPanel, taskPanel, matrixPanel, stepPanel, sparsityPanel,
  gatePanel, alignmentPanel, goodnessPanel, classGoodnessPanel, representationPanel,
  plasticityPanel,
  samplePanel, filmPanel, fieldPanel, attributionPanel, embeddingPanel, costPanel, settingsPanel,
  choicesPanel, provenancePanel, skippedPanel]) {
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

// Paper is white, nothing on it scrolls into view, and nobody can open its provenance.
const printed = { wasDark: false, opened: [] };
addEventListener("beforeprint", () => {
  printed.wasDark = isDark();
  if (printed.wasDark) setTheme(false);
  for (const one of figures) if (one.stale && !one.box.hidden) one.draw();
  const closed = "[data-panel=Provenance] details:not([open])";
  printed.opened = [...document.querySelectorAll(closed)];
  for (const box of printed.opened) {
    box.fill();
    box.open = true;
  }
});
addEventListener("afterprint", () => {
  if (printed.wasDark) setTheme(true);
  for (const box of printed.opened) box.open = false;
});

document.getElementById("download").addEventListener("click", () => {
  const text = document.getElementById("engram-data").textContent;
  const file = new Blob([text], { type: "application/json" });
  el("a", { href: URL.createObjectURL(file), download: "engram.json" }).click();
});
