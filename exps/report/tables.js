// What differs between the experiments, where the numbers come from, and what was left out.
function settingsPanel() {
  const keys = [...new Set(experiments.flatMap((e) => Object.keys(e.config)))].sort();
  const differ = keys.filter((k) => new Set(experiments.map((e) => e.config[k])).size > 1);
  const body = experiments.length < 2 ? el("p", { class: "note" }, "One experiment: nothing differs.")
    : !differ.length ? el("p", { class: "note" }, "All settings are the same.")
    : makeTable(["setting", ...experiments.map((e) => e.label)], differ.map((k) => [k, ...experiments.map((e) => e.config[k] ?? "–")]), { words: true, caption: "Settings that differ" });
  return panel("Settings that differ", "", [], false, body);
}
function provenancePanel() {
  const parts = experiments.map((e) => {
    const keys = [...new Set(e.runs.flatMap((r) => Object.keys(r.provenance)))];
    const rows = keys.map((k) => { const all = [...new Set(e.runs.map((r) => r.provenance[k] ?? "–"))]; return [k, all.length > 3 ? `${all.slice(0, 3).join(", ")} and ${all.length - 3} more` : all.join(", ")]; });
    return el("details", {}, el("summary", {}, `${e.label}: ${e.runs.length} runs, seeds ${e.runs.map((r) => r.seed).join(", ")}`),
      makeTable(["what", "value"], [["folder", e.folder], ["model", e.model], ...rows], { words: true, caption: `Provenance of ${e.label}` }));
  });
  return panel("Provenance", `Written by Engram ${data.engram_version}.`, [], false, el("div", {}, ...parts));
}
function skippedPanel() {
  if (!data.skipped.length) return null;
  return panel("Files left out", "", [], false, makeTable(["file", "reason"], data.skipped.map((s) => [s.file, s.reason]), { words: true, caption: "Files left out" }));
}
