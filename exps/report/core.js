// What all panels share: the data, which experiments are shown, small tools for text and numbers.
const data = JSON.parse(document.getElementById("engram-data").textContent);
const experiments = data.experiments;
const shown = new Set(experiments.map((_, i) => i));
const isDark = () => document.documentElement.dataset.theme === "dark";

// Okabe and Ito's colours, told apart by colour-blind people too; dashes and shapes go on after 8.
const kLight = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#B8860B", "#2E9BD6", "#5B5B5B", "#7B3FA0"];
const kDark = ["#56B4E9", "#FF8A3D", "#2CC79A", "#E8A0C8", "#F0E442", "#9AD0F5", "#C8C8C8", "#C39BE0"];
const kDashes = [[1, 0], [7, 3], [2, 2], [9, 3, 2, 3]];
const kShapes = ["circle", "square", "diamond", "triangle-up", "cross", "triangle-down", "triangle-right", "triangle-left"];
const colourOf = (i) => (isDark() ? kDark : kLight)[i % 8];
const dashOf = (i) => kDashes[Math.floor(i / 8) % kDashes.length];
const shapeOf = (i) => kShapes[(i + Math.floor(i / 8)) % 8];

/** An element; text is always set as text. */
function el(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [key, value] of Object.entries(attributes))
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (value !== false && value !== undefined) made.setAttribute(key, value === true ? "" : value);
  for (const child of children) made.append(child);
  return made;
}

const known = (values) => values.filter((v) => v !== null && v !== undefined && Number.isFinite(v));
const mean = (values) => values.reduce((a, b) => a + b, 0) / values.length;
const percent = (v) => (v === null || v === undefined || !Number.isFinite(v) ? "–" : (100 * v).toFixed(1) + " %");
const points = (v) => (100 * v).toFixed(1);

/** "1.23e9" as "1.23 G". */
function short(v) {
  if (v === null || v === undefined || !Number.isFinite(v)) return "–";
  for (const [size, unit] of [[1e15, "P"], [1e12, "T"], [1e9, "G"], [1e6, "M"], [1e3, "k"]])
    if (Math.abs(v) >= size) return (v / size).toPrecision(3) + " " + unit;
  return String(Number(v.toPrecision(3)));
}

// Student's t at 97.5 %, by degrees of freedom; beyond the table by Cornish and Fisher's expansion.
const kT = [NaN, 12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228];
function student(df) {
  if (df < kT.length) return kT[df];
  const z = 1.959964;
  return z + (z ** 3 + z) / (4 * df) + (5 * z ** 5 + 16 * z ** 3 + 3 * z) / (96 * df * df);
}

/** n, mean and the half width of the 95 % t interval; half is null below two values. */
function summarise(values) {
  const v = known(values);
  if (!v.length) return { n: 0, mean: null, half: null };
  const m = mean(v);
  if (v.length < 2) return { n: 1, mean: m, half: null };
  const variance = v.reduce((a, x) => a + (x - m) ** 2, 0) / (v.length - 1);
  return { n: v.length, mean: m, half: student(v.length - 1) * Math.sqrt(variance / v.length) };
}
const withHalf = (s, show = percent) =>
  s.mean === null ? "–" : s.half === null ? show(s.mean) : `${show(s.mean).replace(" %", "")} ± ${show(s.half)}`;

const metricOf = (run, name) => run.metrics[name] ?? null;
const over = (e, of) => summarise(e.runs.map(of));
const visible = () => [...shown].sort((a, b) => a - b);
const sum = (values) => values.reduce((a, b) => a + (b ?? 0), 0);
/** Bytes in provenance such as "peak_rss", "peak_memory_bytes", or null. */
function memoryOf(run) {
  const key = Object.keys(run.provenance).find((k) => /peak|rss/i.test(k));
  const value = key ? parseFloat(run.provenance[key]) : NaN;
  return Number.isFinite(value) ? value : null;
}
/** Mean active fraction over the layers and tasks of a run's test, or null without layers. */
function activeOf(run) {
  const all = run.layers.flatMap((l) => known(l.active_fraction_test));
  return all.length ? mean(all) : null;
}

/** A table that can be sorted by the buttons in its head. cells: text, or {text, value}. */
function makeTable(head, rows, { words = false, sortable = false, caption = "" } = {}) {
  const body = el("tbody");
  const cellValue = (c) => (c !== null && typeof c === "object" ? c.value : c);
  const fill = (list) => body.replaceChildren(...list.map((row) => el("tr", {}, ...row.map((cell, i) =>
    el(i ? "td" : "th", i ? {} : { scope: "row" }, String(cell !== null && typeof cell === "object" ? cell.text : cell ?? "–"))))));
  fill(rows);
  let order = { column: -1, sign: -1 };
  const titles = head.map((title, i) => {
    const text = typeof title === "object" ? title.text : title;
    const th = el("th", { scope: "col", title: typeof title === "object" ? title.help : false });
    if (!sortable) { th.append(text); return th; }
    th.append(el("button", { type: "button", onclick: () => {
      order = { column: i, sign: order.column === i ? -order.sign : -1 };
      const key = (row) => cellValue(row[i]);
      fill([...rows].sort((a, b) => {
        const x = key(a), y = key(b);
        if (x === null || y === null) return (x === null) - (y === null);
        return order.sign * (x < y ? -1 : x > y ? 1 : 0);
      }));
      titles.forEach((t, k) => t.setAttribute("aria-sort", k !== i ? "none" : order.sign > 0 ? "ascending" : "descending"));
    } }, text));
    return th;
  });
  const table = el("table", words ? { class: "words" } : {}, ...(caption ? [el("caption", {}, caption)] : []),
    el("thead", {}, el("tr", {}, ...titles)), body);
  return el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": caption || "table" }, table);
}
