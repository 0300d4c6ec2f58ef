// The page, from top to bottom.
function panel(title, note, list, small = false, body = null) {
  const box = el("section", { "aria-label": title, "data-panel": title }, el("h2", {}, title));
  if (note) box.append(el("p", { class: "note" }, note));
  box.append(body ?? el("div", { class: small ? "charts small" : "charts" }, ...list));
  return box;
}
function setTheme(dark) {
  document.documentElement.dataset.theme = dark ? "dark" : "light";
  document.getElementById("theme").textContent = dark ? "Light" : "Dark";
  legend();
  redraw();
}
document.documentElement.dataset.theme = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
verdicts();
for (const make of [curvePanel, finalPanel, matrixPanel, stepPanel, sparsityPanel, costPanel, settingsPanel, provenancePanel, skippedPanel]) {
  const made = make();
  if (made) document.getElementById("panels").append(made);
}
setTheme(isDark());
document.getElementById("theme").addEventListener("click", () => setTheme(!isDark()));
document.getElementById("download").addEventListener("click", () => {
  const link = el("a", { href: URL.createObjectURL(new Blob([document.getElementById("engram-data").textContent], { type: "application/json" })), download: "engram.json" });
  link.click();
});
addEventListener("resize", () => { clearTimeout(window.resizing); window.resizing = setTimeout(redraw, 150); });
