// The answer first: verdicts in words, the table of experiments, and the choice of what is shown.
const kColumns = [["average_accuracy", "ACC"], ["forgetting", "forgetting"],
  ["learning_accuracy", "LA"], ["bwt", "BWT"]];
const kQuestions = {
  forgetting: { sign: -1, best: "forgets least", more: "less", which: "which forgets least" },
  average_accuracy: { sign: 1, best: `ends with the highest ${kMeasured}`, more: "more",
    which: `which ends with the highest ${kMeasured}` } };

const listed = (names) => (names.length < 2 ? names.join("")
  : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`);

/** A pair as seen by one of its two: how far ahead it is (negative: behind), and is it sure? */
function standing(pair, label, sign) {
  const turn = sign * (pair.b === label ? 1 : -1);
  const ends = [turn * pair.bca_interval.low, turn * pair.bca_interval.high];
  const complete = isNumber(pair.bca_interval.low) && isNumber(pair.bca_interval.high);
  return { pair, rival: pair.b === label ? pair.a : pair.b, ahead: turn * pair.difference,
    low: complete ? Math.min(...ends) : null, high: complete ? Math.max(...ends) : null,
    sure: pair.verdict !== "cannot_tell" };
}

/** The one that is ahead of most others in the paired means, with its standing beside each. */
function leaderOf(comparison, sign) {
  const compared = comparison.experiments.filter((e) => !comparison.left_out?.includes(e));
  const all = compared.map((label) => {
    const rivals = comparison.pairs.filter((p) => p.a === label || p.b === label)
      .map((p) => standing(p, label, sign)).sort((x, y) => x.ahead - y.ahead);
    return { label, rivals, beaten: rivals.filter((r) => r.ahead > 0).length,
      ahead: sum(rivals.map((r) => r.ahead)) };
  });
  return all.sort((x, y) => y.beaten - x.beaten || y.ahead - x.ahead)[0];
}

const briefly = (names, many = "others") =>
  (names.length > 4 ? `${names.length} ${many}` : listed(names));

function figuresOf({ pair, low, high }, pairs) {
  const said = [];
  if (low !== null) said.push(`95 % interval ${points(low)} to ${points(high)} points`);
  said.push(`${pair.seeds.length} paired ${pair.seeds.length === 1 ? "seed" : "seeds"}`);
  const p = pair.paired_t.p_holm;
  if (isNumber(p)) said.push(`paired t test: p ${p < 1e-4 ? "< 0.0001" : "= " + p.toPrecision(2)}`
    + (pairs > 1 ? ` after Holm for ${pairs} pairs` : ""));
  return said.join(", ");
}

/** How many seeds would show more, or that those at hand should have. */
function outlookOf({ pair, ahead }) {
  const needed = pair.seeds_needed, n = pair.seeds.length;
  if (!needed || needed >= 1e6) return "";
  if (needed > n) return ` About ${needed} seeds would show a difference of one point.`;
  return ` ${n} seeds are about enough to see one point${ahead < 0.01
    ? ", so that the difference is probably less" : ""}.`;
}

/** {sure, headline, details}: the headline alone answers the question. */
function verdictOf(comparison) {
  const question = kQuestions[comparison.metric];
  const { label, rivals } = leaderOf(comparison, question.sign);
  const open = rivals.filter((r) => !(r.sure && r.ahead > 0)), next = rivals[0];
  const many = rivals.length > 1, pairs = comparison.pairs.length;
  if (!open.length) return { sure: true,
    headline: `${label} ${question.best}: ${points(next.ahead)} points ${question.more} than `
      + `${next.rival}${many ? ", the closest" : ""}. The difference is real.`,
    details: `${figuresOf(next, pairs)}.`
      + (many ? ` The data tell it from each of the ${rivals.length} others.` : "") };
  const beaten = rivals.filter((r) => r.sure && r.ahead > 0);
  const names = briefly(open.map((r) => r.rival));
  const same = open.every((r) => r.ahead === 0), ahead = open[0].ahead >= 5e-5;
  const both = `the data cannot tell ${label} from ${names}`;
  const lead = `${label} is ${points(open[0].ahead)} points ahead of ${open[0].rival}, but `
    + (open.length > 1 ? both : "the data cannot tell them apart");
  return { sure: false,
    headline: `Undecided ${question.which}: `
      + (same ? `${briefly([label, ...open.map((r) => r.rival)], "experiments")} do not differ.`
        : `${ahead ? lead : both}.`),
    details: `${figuresOf(open[0], pairs)}.${outlookOf(open[0])}`
      + (beaten.length ? ` Sure: ${label} is ahead of ${briefly(beaten.map((r) => r.rival))}.`
        : "") };
}

const kPairHead = ["pair (difference: second − first)", "diff., points", "BCa interval",
  "t interval", "p, paired t (Holm)", "p, Wilcoxon (Holm)", "effect g", "seeds for 1 point",
  "verdict"];
function pairTable(comparison) {
  const interval = (i) => (isNumber(i.low) ? `${points(i.low)} to ${points(i.high)}` : "–");
  const p = (v) => (isNumber(v) ? (v < 1e-4 ? "< 0.0001" : v.toPrecision(2)) : "–");
  const number = (text, value) => ({ text, value: isNumber(value) ? value : null });
  return makeTable(kPairHead, comparison.pairs.map((c) => [
    `${c.a}, ${c.b} (n = ${c.seeds.length})`, number(points(c.difference), c.difference),
    number(interval(c.bca_interval), c.bca_interval.low),
    number(interval(c.t_interval), c.t_interval.low),
    number(p(c.paired_t.p_holm), c.paired_t.p_holm),
    number(p(c.wilcoxon.p_holm), c.wilcoxon.p_holm),
    number(isNumber(c.effect_gz) ? c.effect_gz.toFixed(2) : "–", c.effect_gz),
    number(String(c.seeds_needed ?? "–"), c.seeds_needed),
    { better: "second is better", worse: "first is better" }[c.verdict] ?? "cannot tell"]),
  { sortable: true, label: `All pairs, ${comparison.metric}` });
}

function verdicts() {
  const box = document.getElementById("answer");
  box.append(el("h2", {}, "Which forgets least, and is it sure?"));
  const groups = [...new Set(data.comparisons.map((c) => JSON.stringify(c.experiments)))];
  for (const group of groups) {
    const all = data.comparisons.filter((c) => JSON.stringify(c.experiments) === group);
    const alike = all[0].experiments;
    if (alike.length < experiments.length) box.append(el("h3", {}, `Among ${listed(alike)}`));
    for (const metric of Object.keys(kQuestions)) {
      const comparison = all.find((c) => c.metric === metric);
      if (!comparison) continue;
      if (comparison.refused) {
        box.append(el("p", { class: "note" }, `${metric}: not compared. ${comparison.refused}`));
        continue;
      }
      const { sure, headline, details } = verdictOf(comparison);
      const without = comparison.left_out ? ` Not among them, for no seed with a known `
        + `${metric.replace("_", " ")} is shared: ${listed(comparison.left_out)}.` : "";
      box.append(el("div", { class: sure ? "verdict sure" : "verdict open" },
        el("p", {}, el("strong", {}, headline)), el("p", { class: "details" }, details + without),
        later(`All about ${comparison.pairs.length === 1 ? "this pair"
          : `these ${comparison.pairs.length} pairs`}`, () => el("div", {}, pairTable(comparison),
          el("ul", {}, ...comparison.pairs.map((p) => el("li", {}, p.sentence)))))));
    }
  }
  const alone = experiments.filter((e) =>
    !data.comparisons.some((c) => c.experiments.includes(e.label))).map((e) => e.label);
  if (experiments.length === 1)
    box.append(el("div", { class: "verdict open" }, el("p", {}, el("strong", {},
      `Only ${alone[0]} is here: there is nothing to compare it with.`))));
  else if (alone.length)
    box.append(el("p", { class: "note" },
      `Compared with none, for stream, data or evaluation differ: ${listed(alone)}.`));
  if (data.skipped.length)
    box.append(el("p", { class: "note" }, `${data.skipped.length} `
      + `${data.skipped.length === 1 ? "file was" : "files were"} left out, see the end.`));
  box.append(overview(), later("All metrics and what they mean", metricTable));
}

const definitions = () => new Map(experiments.flatMap((e) => e.metrics)
  .map((m) => [m.name, m.definition]));

function overview() {
  const meaning = definitions();
  const costs = [
    [{ text: "active", help: "mean share of hidden units active in the last test" }, activeOf,
      percent],
    [{ text: "multiply-adds", help: "executed in training" }, (r) => r.train_macs.executed, short],
    [{ text: "training, s", help: "mean over the seeds" }, secondsOf, short]];
  const head = ["experiment", "seeds",
    ...kColumns.map(([name, text]) => ({ text, help: meaning.get(name) })),
    ...costs.map(([title]) => title)];
  const rows = experiments.map((e, i) => [
    { text: e.label, value: e.label, mark: sampleOf(i) }, e.runs.length,
    ...kColumns.map(([name]) => {
      const s = over(e, (r) => metricOf(r, name));
      return { text: withHalf(s), value: s.mean };
    }),
    ...costs.map(([, of, show]) => {
      const s = over(e, of);
      return { text: show(s.mean), value: s.mean };
    })]);
  return makeTable(head, rows, { sortable: true,
    caption: "Mean over the seeds ± half width of the 95 % t interval" });
}

function metricTable() {
  return makeTable(["metric", ...experiments.map((e) => e.label), "definition"],
    [...definitions()].map(([name, meaning]) => [name.replaceAll("_", " "),
      ...experiments.map((e) => withHalf(over(e, (r) => metricOf(r, name)))), meaning]),
    { label: "All metrics" });
}
