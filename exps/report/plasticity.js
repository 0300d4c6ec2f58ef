// Whether networks can still learn after many tasks.
const kUnitShares = [["dead", "0 on every example"], ["dormant_0.01", "dormant, τ = 0.01"],
  ["dormant_0.025", "dormant, τ = 0.025"], ["dormant_0.1", "dormant, τ = 0.1"]];
const kRanks = [["effective_rank", "effective rank"], ["approximate_rank", "approximate rank"],
  ["srank99", "srank, 99 % of the sum"], ["stable_rank", "stable rank, Frobenius over spectral"]];
const kSizes = [["mean_weight", "mean magnitude of a weight"], ["weight_norm", "Frobenius norm"]];

function plasticityPanel() {
  const asked = experiments.filter((e) => e.runs.some((r) => r.plasticity.units.length));
  if (!asked.length) return null;
  const plain = (v) => (isNumber(v) ? String(Number(v.toPrecision(3))) : "–");
  const chosen = { moment: 0, units: 0, weights: 0, share: 0, rank: 0, size: 0 };
  // By place, for names differ between experiments.
  const placesOf = (kind) => range(Math.max(...asked.flatMap((e) =>
    e.runs.map((r) => r.plasticity[kind].length)))).map((l) =>
    namesIn((r) => r.plasticity[kind].slice(l, l + 1).map((one) => one.layer)).join(", "));
  const layers = { units: placesOf("units"), weights: placesOf("weights") };
  chosen.units = layers.units.length - 1;
  const when = () => ["before", "after"][chosen.moment];

  /** A measure of the chosen layer by tasks. kind: units or weights; list: what may be chosen. */
  const one = (caption, kind, list, which, show, y) => {
    const measure = () => list[chosen[which]];
    const name = () => `${measure()[1]}, ${layers[kind][chosen[kind]]}`;
    const of = (r) => (r.plasticity[kind][chosen[kind]]?.[measure()[0]] ?? [])
      .map((row) => row[chosen.moment]);
    const rows = () => visible().flatMap((e) => {
      const length = Math.max(...experiments[e].runs.map((r) => of(r).length));
      return range(length).map((t) => {
        const s = over(experiments[e], (r) => of(r)[t] ?? null);
        return { ...point(e, t + 1, s, ""), tip: `${experiments[e].label}\n${name()}, `
          + `${when()} task ${t + 1}\n${withHalf(s, show)} (n = ${s.n})` };
      });
    }).filter((p) => p.y !== null);
    const control = chooser("Measure", list.map(([, text]) => text), (m) => {
      chosen[which] = m;
      made.figure.draw();
    });
    const made = figure(caption, (w) => lineChart(rows(), w, { x: "task", y, zero: true,
      dots: rows().length < 200, ...(show === percent ? {} : { ticks: { tickCount: 5 } }) }),
    () => ({ head: ["experiment", "task", name(), "low", "high"], rows: rows().map((r) =>
      [experiments[r.e].label, r.x, show(r.y), show(r.lo), show(r.hi)]) }), { control });
    return made;
  };
  const online = (r) => r.epochs.filter((row) => row.epoch === 0).map((row) => row.train_accuracy);
  const rows = () => curveRows(online, (t) => `online accuracy on task ${t}`);
  const first = figure("Online accuracy: every batch of a task's first epoch before it is learnt",
    (w) => lineChart(rows(), w, { x: "task", y: "online accuracy", dots: rows().length < 200 }),
    () => asTable(rows(), "task", "online accuracy"));

  const box = panel("Plasticity", "Can the network still learn? Where online accuracy falls from "
    + "task to task, though all are equally hard, it is losing that ability. Dormant: units whose "
    + "mean magnitude is at most τ times that of their layer. Ranks are of what a layer says to "
    + "training examples of the task.",
  [[first, one("Idle units", "units", kUnitShares, "share", percent, "units")],
    [one("Rank of a hidden layer", "units", kRanks, "rank", plain, "rank"),
      one("Size of the weights", "weights", kSizes, "size", plain, "size")]]);
  const before = box.querySelector(".charts");
  const choose = (title, texts, which) => {
    if (texts.length < 2) return;
    const control = chooser(title, texts, (k) => {
      chosen[which] = k;
      redraw();
    });
    control.querySelector("select").value = chosen[which];
    before.before(control);
  };
  choose("Units of", layers.units, "units");
  choose("Weights of", layers.weights, "weights");
  choose("Measured", ["before each task", "after it"], "moment");
  return box;
}
