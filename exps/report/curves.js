// Curves over the tasks and over the steps, each with its 95 % t interval over the seeds.
function point(e, x, s, what) {
  return { e, x, y: s.mean, lo: s.half === null ? null : s.mean - s.half, hi: s.half === null ? null : s.mean + s.half,
    tip: `${experiments[e].label}\n${what}\n${withHalf(s)} (n = ${s.n})` };
}
function curveRows(of, what) {
  return visible().flatMap((e) => {
    const length = Math.max(...experiments[e].runs.map((r) => of(r).length));
    return Array.from({ length }, (_, t) => point(e, t + 1, over(experiments[e], (r) => of(r)[t] ?? null), `${what} after task ${t + 1}`))
      .filter((p) => p.y !== null);
  });
}
const asTable = (rows, x, y) => ({ head: ["experiment", x, y, "low", "high"],
  rows: rows.map((r) => [experiments[r.e].label, r.x, percent(r.y), percent(r.lo), percent(r.hi)]) });

function curvePanel() {
  const average = () => curveRows((r) => r.average_accuracy_curve, "mean accuracy on the tasks seen");
  const lost = () => curveRows((r) => r.forgetting_curve, "forgetting");
  const most = Math.max(...experiments.map((e) => e.tasks.length));
  let task = 0;
  const ofTask = () => curveRows((r) => r.accuracy.slice(1).map((row) => row[task] ?? null), `accuracy on task ${task + 1}`);
  const perTask = figure("Accuracy on one task, as the others are learnt",
    (w) => lineChart(ofTask(), w, { x: "tasks learnt", y: "accuracy" }), () => asTable(ofTask(), "tasks learnt", "accuracy"));
  const choice = el("select", { onchange: () => { task = Number(choice.value); perTask.figure.draw(); } });
  for (let t = 0; t < most; ++t) choice.append(el("option", { value: t }, `task ${t + 1}: ${experiments.find((e) => e.tasks.length > t).tasks[t]}`));
  perTask.querySelector("figcaption").append(" ", el("label", {}, "Task ", choice));
  return panel("Forgetting curves", "Means over the seeds; bands are 95 % t intervals.", [
    figure("Mean accuracy over the tasks seen", (w) => lineChart(average(), w, { x: "tasks learnt", y: "accuracy" }), () => asTable(average(), "tasks learnt", "accuracy")),
    figure("Forgetting", (w) => lineChart(lost(), w, { x: "tasks learnt", y: "forgetting" }), () => asTable(lost(), "tasks learnt", "forgetting")),
    perTask]);
}

function finalPanel() {
  const one = (name, title) => {
    const groups = () => visible().map((e) => {
      const s = over(experiments[e], (r) => metricOf(r, name));
      return { e, label: experiments[e].label, s, tip: `${experiments[e].label}\n${withHalf(s)} (n = ${s.n})`,
        values: experiments[e].runs.filter((r) => metricOf(r, name) !== null).map((r) => ({ v: metricOf(r, name), tip: `${experiments[e].label}\nseed ${r.seed}: ${percent(metricOf(r, name))}` })) };
    });
    return figure(title, (w) => dotChart(groups(), w, { x: title }), () => ({ head: ["experiment", "mean", "single seeds"],
      rows: groups().map((g) => [g.label, withHalf(g.s), g.values.map((d) => percent(d.v)).join(", ")]) }));
  };
  return panel("At the end", "Small dots are single seeds; above them the mean and its 95 % t interval.",
    [one("average_accuracy", "Final accuracy (ACC)"), one("forgetting", "Forgetting")]);
}

function stepPanel() {
  if (!experiments.some((e) => e.runs.some((r) => r.steps.length))) return null;
  const rows = (of) => visible().flatMap((e) => {
    const at = new Map();
    for (const run of experiments[e].runs) for (const row of run.steps) {
      if (!at.has(row.step)) at.set(row.step, []);
      at.get(row.step).push(of(row));
    }
    return [...at].sort((a, b) => a[0] - b[0]).map(([step, v]) => point(e, step, summarise(v), `step ${step}`)).filter((p) => p.y !== null);
  });
  const make = (title, of) => figure(title, (w) => lineChart(rows(of), w, { x: "training steps", y: "accuracy", whole: false, dots: false }), () => asTable(rows(of), "step", "accuracy"));
  const gap = (name, title) => {
    const groups = () => visible().map((e) => { const s = over(experiments[e], (r) => metricOf(r, name));
      return { e, label: experiments[e].label, s, tip: `${experiments[e].label}\n${withHalf(s)}`, values: experiments[e].runs.filter((r) => metricOf(r, name) !== null).map((r) => ({ v: metricOf(r, name), tip: `seed ${r.seed}: ${percent(metricOf(r, name))}` })) }; });
    return figure(title, (w) => dotChart(groups(), w, { x: title }), () => ({ head: ["experiment", title], rows: groups().map((g) => [g.label, withHalf(g.s)]) }));
  };
  return panel("Continual evaluation", "Accuracy while training goes on: what falls after a change of task and comes back is the stability gap.", [
    make("Accuracy on the first task, step by step", (row) => row.probe_accuracy[0]),
    make("Mean accuracy on the tasks seen, step by step", (row) => { const v = known(row.probe_accuracy); return v.length ? mean(v) : null; }),
    gap("stability_gap", "Stability gap"), gap("min_accuracy", "Lowest accuracy (min-ACC)")]);
}
