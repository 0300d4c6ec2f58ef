// One matrix of accuracies or scores per experiment, averaged over the seeds.
function matrixPanel() {
  const list = experiments.map((e, i) => {
    const at = (t, j) => over(e, (r) => r.accuracy[t]?.[j] ?? null);
    const order = e.runs[0].order, unit = order.length > e.tasks.length ? "phase" : "task";
    const tasks = e.tasks.map((_, t) => t + 1), rows = order.map((_, t) => t + 1);
    const name = (t) => (unit === "task" ? `task ${t}` : `phase ${t}, ${e.tasks[order[t - 1]]}`);
    const cells = () => rows.flatMap((t) => tasks.map((j) => {
      const s = at(t, j - 1);
      return { row: t, column: j, v: s.mean,
        tip: `after ${name(t)}, on ${e.tasks[j - 1]}\n${withHalf(s)} (n = ${s.n})` };
    })).filter((c) => c.v !== null);
    return figure(e.label, (w) => heatMap(cells(), w,
      { rows, columns: tasks, x: `${kMeasured} on task, %`, y: `after ${unit}` }),
    () => ({ head: ["after", ...e.tasks],
      rows: rows.map((t) => [name(t), ...tasks.map((j) => withHalf(at(t, j - 1)))]) }),
    { of: i });
  });
  return panel(`${kMeasuredTitle} matrices`, [`Row: after how many ${kRow}s; column: the task that is tested. `
    + "A column that keeps its colour downwards is not forgotten. ", gradient()], list, true);
}

const gradient = () => el("span", { class: "gradient" }, "0 % ", el("i"), " 100 %");
