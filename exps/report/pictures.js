// Images that models made, and test examples as points in the plane.
const gapOfImages = 2;

/** The images of one moment on a canvas, as square a grid as they make. */
function imageGrid(set, moment) {
  const { height: h, width: w, channels, count } = set;
  const bytes = Uint8Array.from(atob(moment.pixels), (c) => c.charCodeAt(0));
  const columns = set.columns || Math.ceil(Math.sqrt(count)), rows = Math.ceil(count / columns);
  const across = columns * (w + gapOfImages) - gapOfImages;
  const down = rows * (h + gapOfImages) - gapOfImages;
  const sheet = new ImageData(across, down);  // gaps stay transparent
  for (let i = 0; i < count; ++i)
    for (let y = 0; y < h; ++y)
      for (let x = 0; x < w; ++x) {
        const from = ((i * h + y) * w + x) * channels;
        const to = 4 * ((Math.floor(i / columns) * (h + gapOfImages) + y) * across
          + (i % columns) * (w + gapOfImages) + x);
        for (let c = 0; c < 3; ++c) sheet.data[to + c] = bytes[from + (channels === 1 ? 0 : c)];
        sheet.data[to + 3] = 255;
      }
  const small = new OffscreenCanvas(across, down);
  small.getContext("2d").putImageData(sheet, 0, 0);
  // Whole pixels first, so that shrinking to the page's width keeps them equal.
  const scale = Math.max(1, Math.ceil(720 / across));
  const aboutImage = (event) => {
    const size = canvas.getBoundingClientRect();
    const column = Math.floor((event.clientX - size.left) / size.width * columns);
    const row = Math.floor((event.clientY - size.top) / size.height * rows);
    return column < columns ? imageText(moment, row * columns + column) : "";
  };
  const canvas = el("canvas", { width: across * scale, height: down * scale, role: "img",
    class: set.map ? "map" : undefined,
    "aria-label": `${count} images, ${moment.name}`,
    onmousemove: (event) => showTip(null, event, null, aboutImage(event)),
    onmouseleave: (event) => showTip(null, event, null, "") });
  const pen = canvas.getContext("2d");
  pen.imageSmoothingEnabled = false;
  pen.drawImage(small, 0, 0, canvas.width, canvas.height);
  return canvas;
}

const knownIndex = (v) => v !== undefined && v >= 0;
function imageText(moment, i) {
  const parts = [["class", moment.labels[i]], ["component", moment.components[i]]];
  return parts.filter(([, v]) => knownIndex(v)).map((part) => part.join(" ")).join("\n");
}

function momentFigure(set, moment) {
  const told = [...moment.labels, ...moment.components].some(knownIndex);
  const index = (v) => (knownIndex(v) ? v : "–");
  return el("figure", {}, el("figcaption", {}, moment.name), imageGrid(set, moment),
    ...(told ? [later("Values as a table", () => makeTable(["image", "class", "component"],
      moment.labels.map((label, i) => [i + 1, index(label), index(moment.components[i])]),
      { label: `Images ${moment.name}` }))] : []));
}

/** The sets of pictures that `wanted` picks, one at a time. note: texts and elements. */
function picturePanel(title, note, wanted) {
  const sets = experiments.flatMap((e) => {
    const some = (r) => r.pictures.filter((s) => s.count && s.moments.length && wanted(s));
    const run = e.runs.find((r) => some(r).length);
    return run ? some(run).map((set) => ({ set, e, run })) : [];
  });
  if (!sets.length) return null;
  const about = el("p", { class: "note" }), grids = el("div", { class: "charts grids" });
  function show({ set, run }) {
    const cut = [
      set.count < set.all_images ? `the first ${set.count} of ${set.all_images} images` : "",
      set.moments.length < set.all_moments
        ? `${set.moments.length} of ${set.all_moments} moments` : ""].filter((t) => t);
    about.textContent = `${set.description || set.name} (seed ${run.seed}`
      + `${cut.length ? "; " + cut.join(", ") : ""}).`;
    grids.replaceChildren(...set.moments.map((moment) => momentFigure(set, moment)));
  }
  const box = panel(title, note, []);
  if (sets.length > 1)
    box.append(chooser("Of", sets.map(({ set, e }) => `${e.label}: ${set.name}`),
      (k) => show(sets[k])));
  box.append(about, grids);
  show(sets[0]);
  return box;
}
const signed = () => el("span", { class: "gradient signed" }, "below 0 ", el("i"), " above 0");

const samplePanel = () => picturePanel("Samples", "Images that a model made or rebuilt, at the "
  + "same place in every grid where it allows that; point at one for its class.",
(set) => !set.map && set.name !== "film");
const filmPanel = () => picturePanel("Films", "A test episode of a trained agent after every "
  + "regime, evenly from its beginning to its end; read row by row.",
(set) => set.name === "film");
const fieldPanel = () => picturePanel("Receptive fields", ["Incoming weights of units of the first "
  + "layer as images; a unit is at the same place in every grid. What it answers to is red, what "
  + "silences it blue. ", signed()], (set) => set.map && !set.columns);
const attributionPanel = () => picturePanel("Attribution maps", ["Which pixels of a test image of "
  + "the first task speak for its right output, after every task: the image, then its maps. What "
  + "speaks for it is red, against it blue; the colours of a kind of map reach the greatest value "
  + "of the sheet. ", signed()], (set) => set.map && set.columns > 0);

/** Points coloured by a label. rows: {x, y, label, tip}. */
function labelledPoints(rows, width, labels) {
  if (!rows.length) return null;
  const scale = (name, of) => ({ name, type: "ordinal", domain: labels, range: labels.map(of) });
  const along = extent(rows.map((r) => r.x)), across = extent(rows.map((r) => r.y));
  const few = { tickCount: 4 };
  return {
    width, height: 320, data: [{ name: "points", values: rows }],
    scales: [
      { name: "x", type: "linear", range: "width", zero: false, domain: along },
      { name: "y", type: "linear", range: "height", zero: false, domain: across },
      scale("colour", labelColour), scale("shape", (label) => kShapes[labelShape(label)])],
    axes: [{ orient: "bottom", scale: "x", title: "first axis", ...few },
      { orient: "left", scale: "y", title: "second axis", ...few }],
    marks: [{ type: "symbol", from: { data: "points" }, encode: { enter: {
      x: field("x", "x"), y: field("y", "y"), fill: field("colour", "label"),
      shape: field("shape", "label"), size: constant(26), fillOpacity: constant(0.75),
      tooltip: { field: "tip" } } } }] };
}
// Two more than experiments have, for data sets of ten classes are the most common.
const labelColour = (label) => {
  const colours = isDark() ? [...kDark, "#FF7A8A", "#5FE0D8"] : [...kLight, "#C4183C", "#00898A"];
  return label < 0 ? token("--quiet") : colours[label % 10];
};
const labelShape = (label) => (label < 0 ? 0 : (label + Math.floor(label / 10)) % 8);
const labelText = (label) => (label < 0 ? "unknown" : `class ${label}`);

function embeddingFigure(e, i, set, run) {
  const labels = [...new Set(set.labels)].sort((a, b) => a - b);
  const rows = set.points.map(([x, y], k) => ({ x, y, label: set.labels[k],
    tip: labelText(set.labels[k]) })).filter((r) => isNumber(r.x) && isNumber(r.y));
  const glyphs = labels.map((label) => el("span", { "aria-hidden": "true" },
    kGlyphs[labelShape(label)]));
  const key = el("div", { class: "key" }, ...labels.map((label, k) => el("span", {}, glyphs[k],
    " ", labelText(label))));
  const cut = rows.length < set.all_points ? `, ${rows.length} of ${set.all_points} points` : "";
  return figure(`${e.label}: ${set.description || set.name} (seed ${run.seed}${cut})`,
    (w) => {
      labels.forEach((label, k) => { glyphs[k].style.color = labelColour(label); });
      return labelledPoints(rows, w, labels);
    },
    () => ({ head: ["point", "first axis", "second axis", "class"], rows: rows.map((r, k) =>
      [k + 1, decimal(r.x), decimal(r.y), r.label < 0 ? "–" : r.label]) }),
    { of: i, control: key });
}

function embeddingPanel() {
  const list = experiments.flatMap((e, i) => {
    const run = e.runs.find((r) => r.embeddings.length);
    return run ? run.embeddings.map((set) => embeddingFigure(e, i, set, run)) : [];
  });
  return list.length ? panel("Embedding", "Test examples as points in the plane: classes that "
    + "the network keeps apart lie apart.", list) : null;
}
