// One accuracy matrix per experiment, averaged over the seeds.
function matrixPanel() {
  const figures = experiments.map((e, i) => {
    const cells = () => e.runs[0].accuracy.flatMap((row, t) => t === 0 ? [] : row.map((_, j) => {
      const s = over(e, (r) => r.accuracy[t]?.[j] ?? null);
      return { row: t, column: j + 1, v: s.mean, tip: `after task ${t}, on ${e.tasks[j]}\n${withHalf(s)} (n = ${s.n})` };
    }).filter((c) => c.v !== null));
    const tasks = e.tasks.map((_, t) => t + 1);
    return figure(e.label, (w) => !shown.has(i) ? null : heatMap(cells(), w, { rows: tasks, columns: tasks, x: "accuracy on task, %", y: "after task" }),
      () => ({ head: ["after", ...e.tasks], rows: tasks.map((t) => [`task ${t}`, ...e.tasks.map((_, j) => withHalf(over(e, (r) => r.accuracy[t]?.[j] ?? null)))]) }));
  });
  return panel("Accuracy matrices", "Row: after how many tasks; column: the task that is tested. A row that stays dark to the left forgets little.", figures, true);
}
