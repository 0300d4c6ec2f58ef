// The legend of all charts, which is also the choice of what they show.
function sampleOf(i) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("width", 26);
  svg.setAttribute("height", 10);
  svg.setAttribute("aria-hidden", "true");
  svg.dataset.sample = i;
  const line = document.createElementNS(svg.namespaceURI, "path");
  line.setAttribute("d", "M0 5H26");
  line.setAttribute("stroke", "currentColor");
  line.setAttribute("stroke-width", 2.5);
  line.setAttribute("stroke-dasharray", dashOf(i).join(" "));
  svg.append(line);
  const glyph = el("span", { "aria-hidden": "true" }, kGlyphs[shapeAt(i)]);
  const sample = el("span", { class: "sample", "data-sample": i }, svg, glyph);
  sample.style.color = colourOf(i);
  return sample;
}
function paintSamples() {
  for (const sample of document.querySelectorAll("span.sample"))
    sample.style.color = colourOf(Number(sample.dataset.sample));
}

function legend() {
  const box = document.getElementById("legend");
  const boxes = experiments.map((e, i) => el("input", { type: "checkbox", checked: true,
    onchange: () => show(i, boxes[i].checked) }));
  function show(i, wanted) {
    if (wanted) shown.add(i);
    else shown.delete(i);
    redraw();
  }
  const all = (wanted) => () => {
    boxes.forEach((one, i) => {
      one.checked = wanted;
      if (wanted) shown.add(i);
      else shown.delete(i);
    });
    redraw();
  };
  experiments.forEach((e, i) => box.append(el("label", {}, boxes[i], sampleOf(i), e.label)));
  if (experiments.length > 2)
    box.append(el("span", { class: "all" },
      el("button", { type: "button", onclick: all(true) }, "All"), " ",
      el("button", { type: "button", onclick: all(false) }, "None")));
}
