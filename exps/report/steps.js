// Continual evaluation: accuracy while training goes on, where runs recorded it.
function stepRows(of) {
  return visible().flatMap((e) => {
    const at = new Map();
    for (const run of experiments[e].runs)
      for (const row of run.steps) at.set(row.step, [...(at.get(row.step) ?? []), of(row)]);
    return [...at].sort((a, b) => a[0] - b[0])
      .map(([step, values]) => point(e, step, summarise(values), `step ${step}`))
      .filter((p) => p.y !== null);
  });
}

/** The last rows of all tasks but the last, if all that is shown changes task at the same steps. */
function changesOfTask() {
  const of = (e) => {
    const last = new Map();
    for (const row of experiments[e].runs[0].steps) last.set(row.experience, row.step);
    return [...last.values()].slice(0, -1);
  };
  const all = visible().map(of).filter((list) => list.length);
  return new Set(all.map(String)).size === 1 ? all[0] : [];
}

function stepFigure(caption, of, options = {}) {
  const rows = () => stepRows(of());
  return figure(caption, (w) => lineChart(rows(), w, { x: "training steps", y: "accuracy",
    whole: false, dots: false, borders: changesOfTask() }),
  () => asTable(rows(), "step", "accuracy"), options);
}

function stepPanel() {
  if (!experiments.some((e) => e.runs.some((r) => r.steps.length))) return null;
  let task = 0;
  const control = chooser("Task", range(longest).map(taskName), (t) => {
    task = t;
    one.figure.draw();
  });
  const one = stepFigure("Accuracy on one task, step by step", () => (row) =>
    row.probe_accuracy[task] ?? null, { control });
  const metrics = [["stability_gap", "Stability gap"],
    ["min_accuracy", "Lowest accuracy (min-ACC)"]].filter(([name]) =>
    experiments.some((e) => e.runs.some((r) => isNumber(metricOf(r, name)))));
  return panel("Continual evaluation", "Accuracy while training goes on; dotted lines are changes "
    + "of task. What falls after a change and comes back is the stability gap. Accuracy on batches "
    + "before learning them is also called prequential.", [
    [one, stepFigure("Mean accuracy on the tasks seen",
      () => (row) => mean(known(row.probe_accuracy))),
    stepFigure("Accuracy on batches before learning them",
      () => (row) => row.prequential_accuracy)],
    metrics.map(([name, title]) => seedFigure(title, (r) => metricOf(r, name)))]);
}
