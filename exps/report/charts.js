// Specifications for Vega: lines with bands, heat maps, dots with intervals, scatter, bars.
const constant = (v) => ({ value: v });
const field = (scale, f) => ({ scale, field: f });

/** Scales by the number of an experiment. */
function experimentScales() {
  const ids = range(experiments.length);
  const scale = (name, of) => ({ name, type: "ordinal", domain: ids, range: ids.map(of) });
  return [scale("colour", colourOf), scale("dash", dashOf),
    scale("shape", (i) => kShapes[shapeAt(i)])];
}

/** From the least to the greatest value with a margin, which does not cross zero. */
function extent(values, { zero = false, margin = 0.06 } = {}) {
  const v = known(values);
  let low = Math.min(...v), high = Math.max(...v);
  if (zero) low = Math.min(low, 0), high = Math.max(high, 0);
  const noise = 1e-9 * Math.max(Math.abs(low), Math.abs(high));  // equal but for rounding
  const room = high - low > noise ? margin * (high - low) : 0.05 * Math.abs(high) || 0.01;
  return [low >= 0 ? Math.max(0, low - room) : low - room,
    high <= 0 ? Math.min(0, high + room) : high + room];
}
/** What an axis of fractions shows: means, and bands up to what can be; few seeds reach beyond. */
function reach(rows, [least, most] = [0, 1]) {
  const y = known(rows.map((r) => r.y));
  const low = Math.min(least, ...y), high = Math.max(most, ...y);
  return [...y, ...known(rows.flatMap((r) => [r.lo, r.hi]))
    .map((v) => Math.min(Math.max(v, low), high))];
}
/** Ticks that say different things: as many digits as the span needs. */
function fractionTicks([low, high]) {
  const digits = high - low >= 0.04 ? 0 : high - low >= 0.004 ? 1 : 2;
  return { format: `.${digits}%`, tickMinStep: 10 ** (-2 - digits), tickCount: 5 };
}
const magnitudeTicks = { tickCount: 4,
  encode: { labels: { update: { text: { signal: "format(datum.value, '~s')" } } } } };

/**
 * Lines with bands. rows: {e, x, y, lo, hi, tip}; x, y: titles. whole: x is counted; dots: a mark
 * for every value; borders: where to draw vertical lines; across: the span of y, if given; ticks:
 * of y, which counts fractions otherwise, within limits, 0 and 1 if not given; levels: {y, text},
 * horizontal lines with their names.
 */
function lineChart(rows, width, options) {
  const { x, y, whole = true, dots = true, zero = false, height = 240, borders = [],
    ticks = null, limits, levels = [] } = options;
  if (!rows.length) return null;
  const values = ticks ? rows.flatMap((r) => [r.y, r.lo, r.hi]) : reach(rows, limits);
  const across = options.across ?? extent([...values, ...levels.map((l) => l.y)], { zero });
  const inside = (v) => (isNumber(v) ? Math.min(Math.max(v, across[0]), across[1]) : v);
  const cut = rows.map((r) => ({ ...r, lo: inside(r.lo), hi: inside(r.hi) }));
  const many = Math.ceil(rows.length / 1200);  // marks to hover over where all would be too many
  const along = extent(rows.map((r) => r.x), { zero: !whole, margin: whole ? 0 : 0.01 });
  const here = field("x", "x");
  return {
    width, height,
    data: [{ name: "rows", values: cut },
      { name: "marks", values: dots ? rows : rows.filter((_, i) => i % many === 0) },
      { name: "borders", values: borders.map((at) => ({ x: at })) },
      { name: "levels", values: levels }],
    scales: [
      { name: "x", type: "linear", range: "width", zero: false, padding: 8, domain: along },
      { name: "y", type: "linear", range: "height", zero: false, domain: across },
      ...experimentScales()],
    axes: [
      { orient: "bottom", scale: "x", title: x, tickCount: 6,
        ...(whole ? { format: "d", tickMinStep: 1 } : magnitudeTicks) },
      { orient: "left", scale: "y", title: y, grid: true, ...(ticks ?? fractionTicks(across)) }],
    marks: [
      { type: "rule", from: { data: "borders" }, interactive: false, encode: { enter: {
        x: here, y: constant(0), y2: constant(height), strokeDash: constant([2, 3]),
        stroke: constant(token("--quiet")) }, update: { y2: { signal: "height" } } } },
      { type: "rule", from: { data: "levels" }, interactive: false, encode: { enter: {
        x: constant(0), y: field("y", "y"), strokeDash: constant([6, 4]),
        stroke: constant(token("--quiet")) }, update: { x2: { signal: "width" } } } },
      { type: "text", from: { data: "levels" }, interactive: false, encode: { enter: {
        y: field("y", "y"), dy: constant(-4), text: { field: "text" }, align: constant("right"),
        fontSize: constant(10), fill: constant(token("--quiet")) },
      update: { x: { signal: "width - 2" } } } },
      { type: "group", from: { facet: { name: "line", data: "rows", groupby: "e" } }, marks: [
        { type: "area", from: { data: "line" }, interactive: false, encode: { enter: {
          x: here, y: field("y", "lo"), y2: field("y", "hi"), fill: field("colour", "e"),
          fillOpacity: constant(shown.size > 6 ? 0.07 : 0.16),
          defined: { signal: "isValid(datum.lo)" } } } },
        { type: "line", from: { data: "line" }, interactive: false, encode: { enter: {
          x: here, y: field("y", "y"), stroke: field("colour", "e"), strokeWidth: constant(2),
          strokeDash: field("dash", "e") } } }] },
      { type: "symbol", from: { data: "marks" }, encode: {
        enter: { x: here, y: field("y", "y"), fill: field("colour", "e"),
          shape: field("shape", "e"), size: constant(55), tooltip: { field: "tip" } },
        update: { opacity: constant(dots ? 1 : 0) }, hover: { opacity: constant(1) } } }] };
}

/**
 * A heat map. cells: {row, column, v, tip}; rows, columns: all of them, in order; domain: the span
 * of v; figures: what stands in the cells, percent otherwise.
 */
function heatMap(cells, width, options) {
  const { rows, columns, x, y, domain = [0, 1], figures: text = "format(100 * datum.v, '.0f')" }
    = options;
  if (!cells.length) return null;
  const dark = isDark() ? "#10141a" : "#ffffff";
  const figures = { type: "text", interactive: false, from: { data: "cells" }, encode: { enter: {
    x: { scale: "x", field: "column", band: 0.5 }, y: { scale: "y", field: "row", band: 0.5 },
    align: constant("center"), baseline: constant("middle"), fontSize: constant(10),
    fill: { signal: `datum.v > ${domain[0] + 0.55 * (domain[1] - domain[0])} ? '${dark}' : `
      + `'${token("--text")}'` },
    text: { signal: text } } } };
  const titled = { domain: false, ticks: false, labelOverlap: true };
  return {
    width, height: Math.min(26 * rows.length + 50, 380),
    data: [{ name: "cells", values: cells }],
    scales: [
      { name: "x", type: "band", domain: columns, range: "width", padding: 0.04 },
      { name: "y", type: "band", domain: rows, range: "height", padding: 0.04 },
      { name: "fill", type: "linear", domain, clamp: true, zero: false,
        range: [token("--low"), token("--high")] }],
    axes: [{ orient: "bottom", scale: "x", title: x, ...titled, labelAngle: 0 },
      { orient: "left", scale: "y", title: y, ...titled }],
    marks: [
      { type: "rect", from: { data: "cells" }, encode: { enter: {
        x: field("x", "column"), y: field("y", "row"), width: { scale: "x", band: 1 },
        height: { scale: "y", band: 1 }, fill: field("fill", "v"),
        tooltip: { field: "tip" } } } },
      ...(columns.length <= 12 ? [figures] : [])] };
}

/** Marks of means with their intervals. bars: {e, x, y, xLow, xHigh, yLow, yHigh, tip}. */
function intervalMarks(place) {
  const common = { stroke: field("colour", "e"), strokeWidth: constant(3),
    tooltip: { field: "tip" } };
  const rule = (encode) => ({ type: "rule", from: { data: "bars" },
    encode: { enter: { ...common, ...encode } } });
  return { common, rule, mean: { type: "symbol", from: { data: "bars" }, encode: { enter: {
    ...place, size: constant(95), shape: field("shape", "e"), fill: field("colour", "e"),
    tooltip: { field: "tip" } } } } };
}
/** Names above their rows, where there is room for long ones. */
const rowHeight = 44;
const on = (band) => ({ scale: "y", field: "label", band });
const names = (from, width) => ({ type: "text", from: { data: from }, interactive: false,
  encode: { enter: { x: constant(2), y: on(0.16), text: { field: "label" },
    fontSize: constant(11), baseline: constant("middle"), limit: constant(width - 16),
    fill: constant(token("--text")) } } });

/** Seeds as dots, their mean and interval. groups: {e, label, tip, s, values: [{v, tip}]}. */
function dotChart(groups, width, { x, ticks = null, zero = false }) {
  const dots = groups.flatMap((g) => g.values.map((d) => ({ e: g.e, label: g.label, ...d })));
  const bars = groups.filter((g) => g.s.n).map(({ e, label, s, tip: text }) => ({ e, label,
    x: s.mean, low: s.mean - (s.half ?? 0), high: s.mean + (s.half ?? 0), tip: text }));
  if (!bars.length) return null;
  const along = extent([...dots.map((d) => d.v), ...bars.flatMap((b) => [b.low, b.high])],
    { zero });
  const { rule, mean: middle } = intervalMarks({ x: field("x", "x"), y: on(0.5) });
  return {
    width, height: rowHeight * bars.length + 46,
    data: [{ name: "dots", values: dots }, { name: "bars", values: bars }],
    scales: [
      { name: "x", type: "linear", range: "width", zero: false, domain: along },
      { name: "y", type: "band", range: "height", domain: bars.map((b) => b.label) },
      ...experimentScales()],
    axes: [{ orient: "bottom", scale: "x", title: x, grid: true,
      ...(ticks ?? fractionTicks(along)) }],
    marks: [
      names("bars", width),
      { type: "symbol", from: { data: "dots" }, encode: { enter: {
        x: field("x", "v"), y: on(0.82), size: constant(28), fill: field("colour", "e"),
        fillOpacity: constant(0.55), tooltip: { field: "tip" } } } },
      rule({ x: field("x", "low"), x2: field("x", "high"), y: on(0.5) }), middle] };
}

/** Means against a cost, with both intervals. groups: {e, tip, a (summary of x), b (of y)}. */
function scatter(groups, width, { x, y }) {
  const ends = (s) => [s.mean - (s.half ?? 0), s.mean + (s.half ?? 0)];
  const bars = groups.filter((g) => g.a.n && g.b.n).map((g) => {
    const [left, right] = ends(g.a), [low, high] = ends(g.b);
    return { e: g.e, tip: g.tip, x: g.a.mean, y: g.b.mean, left, right, low, high };
  });
  if (!bars.length) return null;
  const along = extent(bars.flatMap((b) => [b.left, b.right]), { zero: true });
  const across = extent(bars.flatMap((b) => [b.low, b.high]), { margin: 0.12 });
  const [cx, cy, thin] = [field("x", "x"), field("y", "y"), constant(2)];
  const { rule, mean: middle } = intervalMarks({ x: cx, y: cy });
  return {
    width, height: 260, data: [{ name: "bars", values: bars }],
    scales: [
      { name: "x", type: "linear", range: "width", zero: false, domain: along },
      { name: "y", type: "linear", range: "height", zero: false, domain: across },
      ...experimentScales()],
    axes: [{ orient: "bottom", scale: "x", title: x, grid: true, ...magnitudeTicks },
      { orient: "left", scale: "y", title: y, grid: true, ...fractionTicks(across) }],
    marks: [rule({ x: field("x", "left"), x2: field("x", "right"), y: cy, strokeWidth: thin }),
      rule({ x: cx, y: field("y", "low"), y2: field("y", "high"), strokeWidth: thin }), middle] };
}

/** A part of a whole: filled within an outline. groups: {e, label, part, whole, tip}. */
function shareChart(groups, width, { x }) {
  const rows = groups.filter((g) => isNumber(g.whole));
  if (!rows.length) return null;
  const bar = (end, encode) => ({ type: "rect", from: { data: "rows" }, encode: { enter: {
    x: { scale: "x", value: 0 }, x2: field("x", end), y: { scale: "y", field: "label", band: 0.34 },
    height: { scale: "y", band: 0.5 }, tooltip: { field: "tip" }, ...encode } } });
  return {
    width, height: rowHeight * rows.length + 46, data: [{ name: "rows", values: rows }],
    scales: [
      { name: "x", type: "linear", range: "width", zero: true, domain: extent(
        rows.flatMap((r) => [r.part, r.whole]), { zero: true }) },
      { name: "y", type: "band", range: "height", domain: rows.map((r) => r.label) },
      ...experimentScales()],
    axes: [{ orient: "bottom", scale: "x", title: x, grid: true, ...magnitudeTicks }],
    marks: [
      names("rows", width),
      bar("whole", { fill: constant("transparent"), stroke: field("colour", "e") }),
      bar("part", { fill: field("colour", "e") })] };
}
