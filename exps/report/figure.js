// Vega's modules put together, and figures: drawn when they come into view, drawn again when the
// theme, the width or the choice of experiments changes, each with its values as a table.
const loaded = {};
function requireVega(name) {
  if (!loaded[name]) {
    const module = { exports: {} };
    loaded[name] = module;
    vegaModules[name](requireVega, module, module.exports, undefined);
  }
  return loaded[name].exports;
}
const vega = { ...requireVega("vega-view"), ...requireVega("vega-parser") };
Object.assign(requireVega("vega-dataflow").transforms, requireVega("vega-transforms"),
  requireVega("vega-view-transforms"), requireVega("vega-encode"));

const figures = [];
const tip = document.getElementById("tip");
function showTip(handler, event, item, value) {
  tip.hidden = value === null || value === undefined || value === "";
  if (tip.hidden) return;
  tip.textContent = String(value);
  const right = innerWidth - tip.offsetWidth - 8;
  const fitsBelow = event.clientY + 18 + tip.offsetHeight <= innerHeight;
  tip.style.left = Math.max(4, Math.min(event.clientX + 14, right)) + "px";
  tip.style.top = event.clientY + (fitsBelow ? 18 : -tip.offsetHeight - 10) + "px";
}
addEventListener("scroll", () => { tip.hidden = true; }, { passive: true });

const token = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
function vegaConfig() {
  const font = "system-ui, Liberation Sans, DejaVu Sans, sans-serif";
  const [text, quiet, line] = ["--text", "--quiet", "--line"].map(token);
  return {
    background: null, text: { font, fill: text },
    axis: { labelColor: text, titleColor: quiet, gridColor: line, domainColor: quiet,
      tickColor: quiet, labelFont: font, titleFont: font, labelFontSize: 11, titleFontSize: 12,
      titleFontWeight: "normal", gridOpacity: 0.7, labelOverlap: true } };
}

/**
 * One figure. make(width) gives a Vega spec or null (nothing to show), table() {head, rows}.
 * of: the experiment that it shows alone and goes with; control: an element to choose with.
 */
function figure(caption, make, table, { of = null, control = null } = {}) {
  const drawing = el("div", { class: "drawing waiting", role: "img",
    "aria-label": `Chart: ${caption}. The table below has its values.` });
  const values = el("details", {}, el("summary", {}, "Values as a table"));
  const box = el("figure", {}, el("figcaption", {}, caption), ...(control ? [control] : []),
    drawing, values);
  values.addEventListener("toggle", () => { if (values.open) fillTable(); });
  function fillTable() {
    const { head, rows } = table();
    values.replaceChildren(values.firstChild, makeTable(head, rows, { label: caption }));
  }
  const one = { box, of, stale: true, near: false, view: null, draw() {
    one.stale = false;
    if (one.view) one.view.finalize();
    one.view = null;
    if (values.open) fillTable();
    const spec = make(Math.max(drawing.clientWidth, 200));
    drawing.classList.remove("waiting");
    if (!spec) {
      drawing.replaceChildren(el("p", { class: "note" }, "Nothing to show for this choice."));
      return;
    }
    const whole = { padding: { left: 4, top: 4, right: 16, bottom: 4 },
      autosize: { type: "fit", contains: "padding" }, ...spec };
    one.view = new vega.View(vega.parse(whole, vegaConfig()),
      { renderer: "svg", container: drawing, hover: true });
    one.view.tooltip(showTip);
    one.view.run();
  } };
  figures.push(one);
  watcher.observe(box);
  box.figure = one;
  return box;
}
const watcher = new IntersectionObserver((entries) => {
  for (const entry of entries) {
    const one = entry.target.figure;
    one.near = entry.isIntersecting;
    if (one.near && one.stale) one.draw();
  }
  document.body.dataset.readyMs ??= Math.round(performance.now());
}, { rootMargin: "300px" });
function redraw() {
  tip.hidden = true;
  for (const one of figures) {
    if (one.of !== null) one.box.hidden = !shown.has(one.of);
    one.stale = true;
    if (one.near && !one.box.hidden) one.draw();
  }
}
