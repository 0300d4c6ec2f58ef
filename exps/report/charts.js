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
const vega = { ...requireVega("vega-view"), ...requireVega("vega-parser"), ...requireVega("vega-runtime") };
Object.assign(requireVega("vega-dataflow").transforms, requireVega("vega-transforms"),
  requireVega("vega-view-transforms"), requireVega("vega-encode"));

const figures = [];
const tip = document.getElementById("tip");
function showTip(handler, event, item, value) {
  if (value === null || value === undefined || value === "") { tip.hidden = true; return; }
  tip.textContent = String(value);
  tip.hidden = false;
  const x = Math.min(event.clientX + 14, innerWidth - tip.offsetWidth - 8);
  const y = event.clientY + 18 + tip.offsetHeight > innerHeight ? event.clientY - tip.offsetHeight - 10 : event.clientY + 18;
  tip.style.left = Math.max(4, x) + "px";
  tip.style.top = y + "px";
}

const token = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
function vegaConfig() {
  const font = "system-ui, Liberation Sans, DejaVu Sans, sans-serif";
  const axis = { labelColor: token("--text"), titleColor: token("--quiet"), gridColor: token("--line"),
    domainColor: token("--quiet"), tickColor: token("--quiet"), labelFont: font, titleFont: font,
    labelFontSize: 11, titleFontSize: 12, titleFontWeight: "normal", gridOpacity: 0.7, labelOverlap: true };
  return { background: null, axis, text: { font, fill: token("--text") }, legend: { labelColor: token("--text"), titleColor: token("--text"), labelFont: font, titleFont: font } };
}

/** One figure. make(width) gives a Vega spec or null (nothing to show); table() {head, rows}. */
function figure(caption, make, table) {
  const drawing = el("div", { class: "drawing", role: "img", "aria-label": caption });
  const values = el("details", {}, el("summary", {}, "Values as a table"));
  const box = el("figure", {}, el("figcaption", {}, caption), drawing, values);
  values.addEventListener("toggle", () => { if (values.open) fillTable(); });
  function fillTable() {
    const { head, rows } = table();
    values.replaceChildren(values.firstChild, makeTable(head, rows, { caption: caption }));
  }
  const one = { box, stale: true, near: false, view: null, draw() {
    one.stale = false;
    if (one.view) one.view.finalize();
    one.view = null;
    if (values.open) fillTable();
    const spec = make(Math.max(drawing.clientWidth, 200));
    if (!spec) { drawing.replaceChildren(el("p", { class: "note" }, "Nothing to show for this choice.")); return; }
    one.view = new vega.View(vega.parse({ ...spec, autosize: { type: "fit", contains: "padding" } }, vegaConfig()),
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
}, { rootMargin: "300px" });
function redraw() {
  tip.hidden = true;
  for (const one of figures) {
    one.stale = true;
    if (one.near) one.draw();
  }
}
addEventListener("beforeprint", () => figures.forEach((one) => { if (one.stale) one.draw(); }));

const value = (v) => ({ value: v });
const field = (scale, f) => ({ scale, field: f });
const styles = () => ({ colour: experiments.map((_, i) => colourOf(i)), ids: experiments.map((_, i) => i) });

/** Scales by the number of an experiment. */
function experimentScales() {
  const { colour, ids } = styles();
  return [
    { name: "colour", type: "ordinal", domain: ids, range: colour },
    { name: "dash", type: "ordinal", domain: ids, range: ids.map(dashOf) },
    { name: "shape", type: "ordinal", domain: ids, range: ids.map(shapeOf) }];
}

/** Lines with bands. rows: {e, x, y, lo, hi, tip}; options: x, y (titles), whole (x is counted), dots. */
function lineChart(rows, width, { x, y, whole = true, dots = true, zero = false, height = 250, group = "e" }) {
  if (!rows.length) return null;
  return {
    width, height, padding: 4,
    data: [{ name: "rows", values: rows }],
    scales: [
      { name: "x", type: "linear", range: "width", domain: { data: "rows", field: "x" }, zero: false, nice: !whole, padding: 8 },
      { name: "y", type: "linear", range: "height", nice: true, zero, domain: { data: "rows", fields: ["y", "lo", "hi"] } },
      ...experimentScales()],
    axes: [
      { orient: "bottom", scale: "x", title: x, format: whole ? "d" : "~s", tickMinStep: whole ? 1 : 0, tickCount: 6 },
      { orient: "left", scale: "y", title: y, grid: true, tickCount: 5, format: ".0%" }],
    marks: [{
      type: "group", from: { facet: { name: "line", data: "rows", groupby: group } },
      marks: [
        { type: "area", from: { data: "line" }, interactive: false, encode: { enter: {
          x: field("x", "x"), y: field("y", "lo"), y2: field("y", "hi"), fill: field("colour", "e"), fillOpacity: value(0.18),
          defined: { signal: "isValid(datum.lo)" } } } },
        { type: "line", from: { data: "line" }, encode: { enter: {
          x: field("x", "x"), y: field("y", "y"), stroke: field("colour", "e"), strokeWidth: value(2),
          strokeDash: field("dash", "e"), defined: { signal: "isValid(datum.y)" } } } },
        { type: "symbol", from: { data: "line" }, encode: { enter: {
          x: field("x", "x"), y: field("y", "y"), fill: field("colour", "e"), shape: field("shape", "e"),
          size: value(dots ? 45 : 60), opacity: value(dots ? 1 : 0), tooltip: { field: "tip" } },
          hover: { opacity: value(1) }, update: { opacity: value(dots ? 1 : 0) } } }] }] };
}

/** A heat map of fractions. cells: {row, column, v, tip}. */
function heatMap(cells, width, { rows, columns, x, y }) {
  if (!cells.length) return null;
  const height = Math.min(26 * rows.length + 60, 380), wide = columns.length <= 10;
  return {
    width, height, padding: 4,
    data: [{ name: "cells", values: cells }],
    scales: [
      { name: "x", type: "band", domain: columns, range: "width", padding: 0.04 },
      { name: "y", type: "band", domain: rows, range: "height", padding: 0.04 },
      { name: "fill", type: "linear", domain: [0, 1], range: [token("--low"), token("--high")] }],
    axes: [{ orient: "bottom", scale: "x", title: x, domain: false, ticks: false }, { orient: "left", scale: "y", title: y, domain: false, ticks: false }],
    marks: [
      { type: "rect", from: { data: "cells" }, encode: { enter: {
        x: field("x", "column"), y: field("y", "row"), width: { scale: "x", band: 1 }, height: { scale: "y", band: 1 },
        fill: field("fill", "v"), tooltip: { field: "tip" } } } },
      ...(wide ? [{ type: "text", interactive: false, from: { data: "cells" }, encode: { enter: {
        x: { scale: "x", field: "column", band: 0.5 }, y: { scale: "y", field: "row", band: 0.5 },
        align: value("center"), baseline: value("middle"), fontSize: value(10),
        fill: { signal: `datum.v > 0.55 ? '${isDark() ? "#10141a" : "#ffffff"}' : '${token("--text")}'` },
        text: { signal: "format(100 * datum.v, '.0f')" } } } }] : [])] };
}

/** Values of single seeds as dots, their mean and interval. groups: {e, label, values: [{v, tip}], s}. */
function dotChart(groups, width, { x, show = ".0%" }) {
  const dots = [], bars = [];
  for (const g of groups) {
    for (const d of g.values) dots.push({ e: g.e, label: g.label, v: d.v, tip: d.tip });
    if (g.s.n) bars.push({ e: g.e, label: g.label, v: g.s.mean, lo: g.s.mean - (g.s.half ?? 0), hi: g.s.mean + (g.s.half ?? 0), tip: g.tip });
  }
  if (!bars.length) return null;
  return {
    width, height: 34 * bars.length + 50, padding: 4,
    data: [{ name: "dots", values: dots }, { name: "bars", values: bars }],
    scales: [
      { name: "x", type: "linear", range: "width", nice: true, zero: false, domain: { fields: [{ data: "dots", field: "v" }, { data: "bars", field: "lo" }, { data: "bars", field: "hi" }] } },
      { name: "y", type: "band", range: "height", domain: bars.map((b) => b.label) },
      ...experimentScales()],
    axes: [{ orient: "bottom", scale: "x", title: x, format: show, grid: true, tickCount: 5 },
      { orient: "left", scale: "y", labelLimit: Math.min(190, width * 0.4), domain: false, ticks: false }],
    marks: [
      { type: "symbol", from: { data: "dots" }, encode: { enter: {
        x: field("x", "v"), y: { scale: "y", field: "label", band: 0.68 }, size: value(28), fill: field("colour", "e"),
        fillOpacity: value(0.55), tooltip: { field: "tip" } } } },
      { type: "rule", from: { data: "bars" }, encode: { enter: {
        x: field("x", "lo"), x2: field("x", "hi"), y: { scale: "y", field: "label", band: 0.36 },
        stroke: field("colour", "e"), strokeWidth: value(3), tooltip: { field: "tip" } } } },
      { type: "symbol", from: { data: "bars" }, encode: { enter: {
        x: field("x", "v"), y: { scale: "y", field: "label", band: 0.36 }, size: value(90), shape: field("shape", "e"),
        fill: field("colour", "e"), tooltip: { field: "tip" } } } }] };
}
