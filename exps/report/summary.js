// The answer first: verdicts in words, the table of experiments, and the choice of what is shown.
const kMetrics = [["average_accuracy", "ACC"], ["forgetting", "forgetting"], ["learning_accuracy", "LA"], ["bwt", "BWT"]];

/** The experiment with the best mean of a metric among some labels, or undefined. */
function leader(labels, metric) {
  const sign = metric === "forgetting" ? -1 : 1;
  const ranked = experiments.filter((e) => labels.includes(e.label))
    .map((e) => ({ e, m: e.metrics.find((x) => x.name === metric)?.mean ?? null })).filter((x) => x.m !== null)
    .sort((a, b) => sign * (b.m - a.m));
  return ranked[0]?.e;
}

function verdicts() {
  const box = document.getElementById("answer");
  box.append(el("h2", {}, "Which forgets least, and is it sure?"));
  const wanted = [...data.comparisons].sort((a, b) => (b.metric === "forgetting") - (a.metric === "forgetting"));
  for (const c of wanted) {
    if (c.refused) { box.append(el("p", { class: "note" }, `${c.metric}: not compared. ${c.refused}`)); continue; }
    const best = leader(c.experiments, c.metric);
    const pairs = c.pairs.filter((p) => best && (p.a === best.label || p.b === best.label));
    const name = c.metric === "forgetting" ? "Least forgetting" : "Highest final accuracy (ACC)";
    const sure = pairs.every((p) => p.verdict !== "cannot_tell");
    if (best) box.append(el("p", { class: "verdict" }, el("strong", {}, `${name}: ${best.label}`),
      sure ? ", and the data are sure of it. " : ", but the data cannot tell it from all others. ", pairs.slice(0, 3).map((p) => p.sentence).join(". ") + "."));
    if (pairs.length > 1 || c.pairs.length > 1) box.append(el("details", {}, el("summary", {}, `All ${c.pairs.length} pairs, ${c.metric}`),
      el("ul", {}, ...c.pairs.map((p) => el("li", {}, p.sentence)))));
  }
  const alone = experiments.filter((e) => !data.comparisons.some((c) => c.experiments.includes(e.label)));
  if (!data.comparisons.length && experiments.length === 1) box.append(el("p", { class: "verdict" }, `Only ${experiments[0].label} is here: there is nothing to compare it with.`));
  else if (alone.length) box.append(el("p", { class: "note" }, `Not comparable with the others, for stream, data or evaluation differ: ${alone.map((e) => e.label).join(", ")}.`));

  const head = ["experiment", "n"];
  for (const [name, title] of kMetrics) head.push({ text: title, help: experiments[0].metrics.find((m) => m.name === name)?.definition ?? "" });
  head.push({ text: "active", help: "mean fraction of hidden units active in the test" }, { text: "multiply-adds", help: "executed in training" }, { text: "training, s", help: "mean over seeds" });
  const rows = experiments.map((e) => [e.label, e.runs.length,
    ...kMetrics.map(([name]) => { const s = over(e, (r) => metricOf(r, name)); return { text: withHalf(s), value: s.mean }; }),
    ...[[(r) => activeOf(r), percent], [(r) => r.train_macs.executed, short], [(r) => sum(r.task_seconds), short]].map(([of, show]) => {
      const s = over(e, of); return { text: show(s.mean), value: s.mean }; })]);
  box.append(makeTable(head, rows, { sortable: true, caption: "Mean over seeds ± half width of the 95 % t interval" }));
  box.append(el("details", {}, el("summary", {}, "What the metrics mean"), el("dl", {},
    ...experiments.flatMap((e) => e.metrics).filter((m, i, all) => all.findIndex((o) => o.name === m.name) === i)
      .flatMap((m) => [el("dt", {}, el("strong", {}, m.name)), el("dd", {}, m.definition)]))));
}

/** Checkboxes that are the legend of all charts. */
function legend() {
  const box = document.getElementById("legend");
  box.querySelectorAll("label").forEach((old) => old.remove());
  const shapes = { circle: "●", square: "■", diamond: "◆", "triangle-up": "▲", cross: "✚", "triangle-down": "▼", "triangle-right": "▶", "triangle-left": "◀" };
  experiments.forEach((e, i) => {
    const mark = el("span", { "aria-hidden": "true" }, shapes[shapeOf(i)]);
    mark.style.color = colourOf(i);
    const input = el("input", { type: "checkbox", checked: shown.has(i), onchange: () => {
      if (input.checked) shown.add(i); else shown.delete(i);
      redraw();
    } });
    box.append(el("label", {}, input, mark, e.label));
  });
}
