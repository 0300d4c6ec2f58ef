#include "exps/export/tables.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "exps/summary.h"
#include "utils/error.h"

namespace engram {
namespace {

using Add = std::function<void(const TableRow&)>;

std::string cell(double value) {
  return std::isnan(value) ? "" : fmt::format("{}", value);
}
template <class Integer>
requires std::is_integral_v<Integer> std::string cell(Integer value) {
  return std::to_string(value);
}
std::string cell(std::string_view text) {
  return std::string(text);
}

/// Calls visit(experiment, run, add) where add begins every row with the two.
template <class Visit>
void for_runs(const ResultsSet& set, const Add& add, const Visit& visit) {
  for (const ExperimentRuns& experiment : set.experiments)
    for (const RunRecord& run : experiment.runs)
      visit(experiment, run, [&](const auto&... values) {
        add({experiment.label, std::to_string(run.seed), cell(values)...});
      });
}

void accuracy(const ResultsSet& set, const Add& add) {
  for_runs(set, add, [](const ExperimentRuns&, const RunRecord& run, const auto& row) {
    for (std::size_t i = 0; i < run.accuracy.shape(0); ++i)
      for (std::size_t j = 0; j < run.accuracy.shape(1); ++j)
        row(i, j + 1, run.task_names[j], run.accuracy(i, j));
  });
}

void metrics(const ResultsSet& set, const Add& add) {
  for_runs(set, add, [](const ExperimentRuns& e, const RunRecord& run, const auto& row) {
    for (const Metric& metric : compute_metrics(run, e.forgetting))
      row(metric.name, metric.value);
  });
}

void curves(const ResultsSet& set, const Add& add) {
  for_runs(set, add, [](const ExperimentRuns& e, const RunRecord& run, const auto& row) {
    const auto seen = average_accuracy_curve(run.accuracy, run.order);
    const auto lost = forgetting_curve(run.accuracy, e.forgetting, run.order);
    for (std::size_t t = 0; t < seen.size(); ++t)
      row(t + 1, seen[t], lost[t]);
  });
}

void epochs(const ResultsSet& set, const Add& add) {
  for_runs(set, add, [](const ExperimentRuns&, const RunRecord& run, const auto& row) {
    for (const EpochRow& e : run.epochs)
      row(e.experience + 1, e.epoch + 1, e.learning_rate, e.loss, e.train_accuracy, e.seconds,
          e.macs.executed, e.macs.dense);
  });
}

void alignment(const ResultsSet& set, const Add& add) {
  for_runs(set, add, [](const ExperimentRuns&, const RunRecord& run, const auto& row) {
    for (const EpochRow& e : run.epochs)
      for (std::size_t l = 0; l < std::min(e.alignment.size(), run.weight_layers.size()); ++l)
        row(e.experience + 1, e.epoch + 1, run.weight_layers[l], e.alignment[l].feedback_angle,
            e.alignment[l].update_angle, e.alignment[l].norm_ratio);
  });
}

void gates(const ResultsSet& set, const Add& add) {
  for_runs(set, add, [](const ExperimentRuns&, const RunRecord& run, const auto& row) {
    for (const GateRecord& gate : run.gates)
      for (std::size_t i = 0; i < gate.density.shape(0); ++i)
        for (std::size_t j = 0; j < gate.density.shape(1); ++j)
          row(gate.layer, i, j + 1, gate.density(i, j), gate.kept(i, j));
  });
}

void gate_overlap(const ResultsSet& set, const Add& add) {
  for_runs(set, add, [](const ExperimentRuns&, const RunRecord& run, const auto& row) {
    for (const GateRecord& gate : run.gates)
      for (std::size_t a = 0; a < gate.overlap.shape(0); ++a)
        for (std::size_t b = 0; b < gate.overlap.shape(1); ++b)
          row(gate.layer, a + 1, b + 1, gate.overlap(a, b));
  });
}

void measures(const ResultsSet& set, const Add& add) {
  for_runs(set, add, [](const ExperimentRuns&, const RunRecord& run, const auto& row) {
    for (const EpochRow& e : run.epochs)
      for (std::size_t m = 0; m < std::min(e.measures.size(), run.measure_names.size()); ++m)
        row(e.experience + 1, e.epoch + 1, run.measure_names[m], e.measures[m]);
  });
}

void goodness(const ResultsSet& set, const Add& add) {
  for_runs(set, add, [](const ExperimentRuns&, const RunRecord& run, const auto& row) {
    for (const GoodnessRecord& level : run.goodness)
      for (std::size_t i = 0; i < level.with_label.shape(0); ++i)
        for (std::size_t k = 0; k < level.with_label.shape(1); ++k)
          row(level.level, i, k, level.with_label(i, k), level.with_others(i, k));
  });
}

void embedding(const ResultsSet& set, const Add& add) {
  for_runs(set, add, [](const ExperimentRuns&, const RunRecord& run, const auto& row) {
    for (const EmbeddingRecord& e : run.embeddings)
      for (std::size_t i = 0; i < e.labels.size(); ++i)
        row(e.name, i + 1, e.points(i, 0), e.points(i, 1), e.labels[i]);
  });
}

void representations(const ResultsSet& set, const Add& add) {
  for_runs(set, add, [](const ExperimentRuns&, const RunRecord& run, const auto& row) {
    for (const RepresentationRecord& r : run.representations)
      for (std::size_t i = 0; i < r.drift.shape(0); ++i)
        for (std::size_t j = 0; j < r.drift.shape(1); ++j)
          row(r.layer, i, j + 1, r.probe_accuracy(i, j), r.drift(i, j));
  });
}

void representation_overlap(const ResultsSet& set, const Add& add) {
  for_runs(set, add, [](const ExperimentRuns&, const RunRecord& run, const auto& row) {
    for (const RepresentationRecord& r : run.representations)
      for (std::size_t i = 0; i < r.overlap.shape(0); ++i)
        for (std::size_t a = 0; a < r.overlap.shape(1); ++a)
          for (std::size_t b = 0; b < r.overlap.shape(2); ++b)
            row(r.layer, i, a + 1, b + 1, r.overlap(i, a, b), r.active_overlap(i, a, b));
  });
}

void plasticity(const ResultsSet& set, const Add& add) {
  for_runs(set, add, [](const ExperimentRuns&, const RunRecord& run, const auto& row) {
    const auto layers = [&](const std::vector<PlasticityRecord>& records,
                            std::span<const PlasticityMeasure> measures) {
      for (const PlasticityRecord& record : records)
        for (std::size_t m = 0; m < measures.size(); ++m)
          for (std::size_t t = 0; t < record.measures[m].shape(0); ++t)
            row(record.layer, t + 1, measures[m].name, record.measures[m](t, 0),
                record.measures[m](t, 1));
    };
    layers(run.unit_plasticity, kUnitMeasures);
    layers(run.weight_plasticity, kWeightMeasures);
  });
}

void returns(const ResultsSet& set, const Add& add) {
  for_runs(set, add, [](const ExperimentRuns&, const RunRecord& run, const auto& row) {
    if (!run.returns) return;
    const ReturnRecord& r = *run.returns;
    for (std::size_t j = 0; j < r.random.size(); ++j) {
      row("random", "", run.task_names[j], "return", r.random[j]);
      row("expert", "", run.task_names[j], "return", r.expert[j]);
      for (std::size_t i = 0; i < r.returns.shape(0); ++i)
        row(r.agent, cell(i), run.task_names[j], "return", r.returns(i, j));
      for (std::size_t m = 0; m < r.measures.size(); ++m) {
        row("random", "", run.task_names[j], r.measure_names[m], r.random_measures(m, j));
        row("expert", "", run.task_names[j], r.measure_names[m], r.expert_measures(m, j));
        for (std::size_t i = 0; i < r.returns.shape(0); ++i)
          row(r.agent, cell(i), run.task_names[j], r.measure_names[m], r.measures[m](i, j));
      }
    }
  });
}

void learning(const ResultsSet& set, const Add& add) {
  for_runs(set, add, [](const ExperimentRuns&, const RunRecord& run, const auto& row) {
    if (!run.returns) return;
    for (const LearningPoint& p : run.returns->curve) {
      const std::string& regime = run.task_names[static_cast<std::size_t>(p.experience)];
      const auto point = [&](std::string_view what, double value) {
        row(p.experience + 1, regime, p.interactions, what, value);
      };
      point("train_return", p.train_return);
      point("test_return", p.test_return);
      point("score", p.score);
      for (std::size_t m = 0; m < p.measures.size(); ++m)
        point(run.returns->measure_names[m], p.measures[m]);
    }
  });
}

void steps(const ResultsSet& set, const Add& add) {
  for_runs(set, add, [](const ExperimentRuns&, const RunRecord& run, const auto& row) {
    for (const StepRow& s : run.steps)
      for (std::size_t j = 0; j < s.probe_accuracy.size(); ++j)
        row(s.step, s.experience + 1, s.prequential_accuracy, j + 1, s.probe_accuracy[j]);
  });
}

void layers(const ResultsSet& set, const Add& add) {
  for_runs(set, add, [](const ExperimentRuns&, const RunRecord& run, const auto& row) {
    for (const LayerRecord& layer : run.layers)
      for (std::size_t j = 0; j < layer.active_fraction_test.size(); ++j)
        row(layer.name, layer.units, j + 1, layer.active_fraction_test[j]);
  });
}

void usage(const ResultsSet& set, const Add& add) {
  for_runs(set, add, [](const ExperimentRuns&, const RunRecord& run, const auto& row) {
    for (const LayerRecord& layer : run.layers)
      for (std::size_t j = 0; j < layer.usage_final.shape(0); ++j)
        for (std::size_t u = 0; u < layer.usage_final.shape(1); ++u)
          row(layer.name, j + 1, u + 1, layer.usage_learned(j, u), layer.usage_final(j, u));
  });
}

void cost(const ResultsSet& set, const Add& add) {
  for_runs(set, add, [](const ExperimentRuns&, const RunRecord& run, const auto& row) {
    row(sum_of_known(run.task_seconds), sum_of_known(run.evaluate_seconds), run.train_macs.executed,
        run.train_macs.dense, run.test_macs.executed, run.test_macs.dense, run.optimizer_steps);
  });
}

void provenance(const ResultsSet& set, const Add& add) {
  for (const ExperimentRuns& e : set.experiments)
    for (std::size_t i = 0; i < e.runs.size(); ++i) {
      const std::string seed = std::to_string(e.runs[i].seed);
      add({e.label, seed, "file", e.files[i].string()});
      for (const auto& [key, value] : e.runs[i].provenance)
        add({e.label, seed, key, value});
    }
}

void settings(const ResultsSet& set, const Add& add) {
  for (const ExperimentRuns& e : set.experiments)
    for (const auto& [key, value] : settings_of(e.runs.front()))
      add({e.label, key, value});
}

void definitions(const ResultsSet& set, const Add& add) {
  for (const ExperimentRuns& e : set.experiments)
    for (const Metric& metric : most_metrics(e.runs, e.forgetting))
      add({e.label, metric.name, metric.definition});
}

constexpr TidyTable kTables[] = {
    {"accuracy", "experiment,seed,after_task,task,task_name,accuracy", accuracy},
    {"metrics", "experiment,seed,metric,value", metrics},
    {"curves", "experiment,seed,after_task,average_accuracy,forgetting", curves},
    {"epochs",
     "experiment,seed,task,epoch,learning_rate,loss,train_accuracy,seconds,executed_macs,"
     "dense_macs",
     epochs},
    {"alignment", "experiment,seed,task,epoch,layer,feedback_angle,update_angle,norm_ratio",
     alignment},
    {"gates", "experiment,seed,layer,after_task,task,density,kept", gates},
    {"gate_overlap", "experiment,seed,layer,task,other_task,overlap", gate_overlap},
    {"measures", "experiment,seed,task,epoch,measure,value", measures},
    {"goodness", "experiment,seed,level,after_task,output,with_label,with_others", goodness},
    {"embedding", "experiment,seed,embedding,point,x,y,output", embedding},
    {"representations",
     "experiment,seed,layer,after_task,task,linear_probe_accuracy,representation_drift",
     representations},
    {"representation_overlap",
     "experiment,seed,layer,after_task,task,other_task,representation_overlap,"
     "active_feature_overlap",
     representation_overlap},
    {"plasticity", "experiment,seed,layer,task,measure,before,after", plasticity},
    {"returns", "experiment,seed,agent,after_regime,regime,measure,value", returns},
    {"learning_curves", "experiment,seed,learning,regime,interactions,measure,value", learning},
    {"steps", "experiment,seed,step,learning,prequential_accuracy,task,probe_accuracy", steps},
    {"layers", "experiment,seed,layer,units,task,active_fraction", layers},
    {"usage", "experiment,seed,layer,task,unit,active_when_learned,active_at_end", usage},
    {"cost",
     "experiment,seed,training_seconds,evaluating_seconds,train_executed_macs,train_dense_macs,"
     "test_executed_macs,test_dense_macs,optimizer_steps",
     cost},
    {"provenance", "experiment,seed,fact,value", provenance},
    {"settings", "experiment,key,value", settings},
    {"definitions", "experiment,metric,definition", definitions},
};

/// Quoted when it must be.
void append_cell(std::string& out, std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) {
    out += text;
    return;
  }
  out += '"';
  for (const char c : text)
    out += c == '"' ? "\"\"" : std::string_view(&c, 1);
  out += '"';
}

}  // namespace

std::span<const TidyTable> tidy_tables() {
  return kTables;
}

const TidyTable& find_tidy_table(std::string_view name) {
  std::vector<std::string> known;
  for (const TidyTable& table : kTables) {
    if (table.name == name) return table;
    known.emplace_back(table.name);
  }
  throw Error(Fault::Usage,
              "export: there is no table '" + std::string(name) + "'" + suggestion(name, known));
}

std::string csv_text(const TidyTable& table, const ResultsSet& set) {
  std::string out(table.columns);
  out += '\n';
  table.fill(set, [&](const TableRow& row) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (i > 0) out += ',';
      append_cell(out, row[i]);
    }
    out += '\n';
  });
  return out;
}

}  // namespace engram
