// Everything a run leaves behind, in memory. results_file.h writes it, the terminal shows it.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "learners/progress.h"  // EpochRow, Macs
#include "utils/tensor.h"

namespace engram {

constexpr double kNotEvaluated = std::numeric_limits<double>::quiet_NaN();

/// One continual evaluation, every `probe_every` steps.
struct StepRow {
  std::int64_t step = 0;  ///< steps of the whole run so far
  int experience = 0;
  double prequential_accuracy = 0;     ///< on the batches since the last row, before learning them
  std::vector<double> probe_accuracy;  ///< per task; NaN for tasks not seen yet
};

/// How one hidden layer's units are used.
struct LayerRecord {
  std::string name, description;
  int units = 0;  ///< features, or channels of an image
  /// [tasks, units]: on how many test inputs (times places) of the task the unit was active, right
  /// after the task was learnt, and after the whole run. Zero where not evaluated.
  xt::xtensor<std::uint32_t, 2> usage_learned, usage_final;
  std::vector<double> active_fraction_test;  ///< per task, after the whole run
};

/// Which units of a gated layer the tasks may use.
struct GateRecord {
  std::string layer;
  xt::xtensor<std::uint8_t, 2> learned;  ///< [tasks, units]: 1 where open when the task was learnt
  Table density;  ///< [rows, T]: share of open units, per row of the accuracy matrix
  Table kept;     ///< [rows, T]: intersection over union of the mask with that when learnt
  Table overlap;  ///< [T, T]: intersection over union of the masks of two tasks, at the last row
};

/// Goodness of a level of a forward-forward network under labels, by the class of the example.
struct GoodnessRecord {
  std::string level;
  /// [rows, outputs]: mean over the test examples of a class, with the true label and with all
  /// other labels that were tried; NaN where none was.
  Table with_label, with_others;
};

/// What becomes of the representations of tasks in one hidden layer. Rows as those of the accuracy
/// matrix; NaN for tasks that were not learnt yet, but row 0 has all.
struct RepresentationRecord {
  std::string layer;
  Table probe_accuracy;  ///< [rows, T]: of a linear probe on the features of a task
  Table drift;           ///< [rows, T]: 1 - mean cosine with the features when it was learnt
  /// [rows, T, T]: cosine of the mean absolute activities of two tasks; Jaccard index of the sets
  /// of features that are active for them.
  xt::xtensor<double, 3> overlap, active_overlap;
};

/// What is measured of layers to see how able to learn a network still is.
struct PlasticityMeasure {
  const char *name, *unit, *description;
};
/// Of a hidden layer, on training examples of a task. s_i: a unit's mean |h_i| over that of all.
/// Singular values sigma are those of the features [examples, features].
inline constexpr std::array<PlasticityMeasure, 8> kUnitMeasures{{
    {"dead", "fraction", "units that are 0 on every example"},
    {"dormant_0.01", "fraction", "units with s <= 0.01 (Sokar et al. 2023)"},
    {"dormant_0.025", "fraction", "units with s <= 0.025"},
    {"dormant_0.1", "fraction", "units with s <= 0.1"},
    {"effective_rank", "1", "exp of the entropy of sigma / sum sigma (Roy & Vetterli 2007)"},
    {"approximate_rank", "1", "the fewest sigma^2 that make 99 % of their sum (Yang et al. 2019)"},
    {"srank99", "1", "the fewest sigma that make 99 % of their sum (Kumar et al. 2021)"},
    {"stable_rank", "1", "sum sigma^2 / max sigma^2: Frobenius over spectral norm, squared"},
}};
/// Of a layer with weights.
inline constexpr std::array<PlasticityMeasure, 2> kWeightMeasures{{
    {"weight_norm", "1", "Frobenius norm of the weights"},
    {"mean_weight", "1", "mean magnitude of the weights that exist"},
}};
/// One layer around every task.
struct PlasticityRecord {
  std::string layer;
  std::vector<Table> measures;  ///< as listed above: [rows of the matrix - 1, 2] before the phase
                                ///< and after; or NaN
};

/// Images that a model made or rebuilt, or that show its numbers, at several moments.
struct PictureRecord {
  std::string name, description;     ///< "samples"
  std::vector<std::string> moments;  ///< "after task 1": one per row
  std::size_t height = 0, width = 0, channels = 0;
  std::size_t count = 0;                 ///< images per moment
  std::vector<std::uint8_t> pixels;      ///< [moments, count, height, width, channels]
  std::vector<std::int32_t> labels;      ///< [moments, count]: output that it stands for, or -1
  std::vector<std::int32_t> components;  ///< [moments, count]: of the mixture drawn from, or -1
  std::size_t columns = 0;               ///< images side by side where that means something, else 0
  bool is_map = false;                   ///< colours stand for signed numbers (utils/colour_map.h)
};

/// The set of pictures that shows an agent at work.
inline constexpr const char* kFilm = "film";

/// Points in the plane that stand for test examples.
struct EmbeddingRecord {
  std::string name, description;     ///< "codes"
  Table points;                      ///< [n, 2]
  std::vector<std::int32_t> labels;  ///< [n]: output that is right for the example
};

/// A point of the learning curve of an agent: how it did, while it learnt a regime, in that regime.
struct LearningPoint {
  int experience = 0;                   ///< the regime, 0-based
  std::int64_t interactions = 0;        ///< of the whole run so far
  double train_return = kNotEvaluated;  ///< mean over the episodes of training since the last one
  double test_return = kNotEvaluated, score = kNotEvaluated;  ///< of the agent at its best
  std::vector<double> measures;                               ///< likewise
};

/// How an agent does in the regimes of a simulation, in the simulation's own units: means over
/// episodes of worlds that it does not learn from.
struct ReturnRecord {
  std::string simulation, agent;
  Table returns;                           ///< [T + 1, T], rows as those of the accuracy
  std::vector<double> random, expert;      ///< [T]: returns that score 0 and 1
  std::vector<std::string> measure_names;  ///< "arrived"
  std::vector<Table> measures;             ///< of each: [T + 1, T]
  Table random_measures, expert_measures;  ///< [measures, T]
  std::vector<LearningPoint> curve;        ///< in the order of the run

  /// (R - random) / (expert - random); NaN where they are one.
  double score(std::size_t task, double mean_return) const {
    const double span = expert[task] - random[task];
    return span != 0 ? (mean_return - random[task]) / span : kNotEvaluated;
  }
};

struct RunRecord {
  std::string experiment;
  std::uint64_t seed = 0;
  bool complete = false;
  std::string config_text, config_sources;  ///< Config::resolved_text(), resolved_sources()
  std::string model_text;                   ///< Network::describe()
  std::vector<std::pair<std::string, std::string>> provenance;  ///< in order of writing

  std::vector<std::string> task_names;
  std::vector<int> test_sizes;  ///< per task
  /// Task that each experience trains, 0-based, where tasks come back. Empty: task i in experience
  /// i, or all at once.
  std::vector<int> order;
  /// [T + 1, T]: row 0 before training, row i after experience i; NaN where not evaluated. Joint
  /// training has one experience and fills rows 0 and T. Where tasks come back there are as many
  /// rows as experiences, and one. Other tables over time have the same rows. Scores where agents
  /// act: see is_score().
  Table accuracy;
  std::vector<double> task_seconds;      ///< training, per experience
  std::vector<double> evaluate_seconds;  ///< per row of the matrix
  std::vector<EpochRow> epochs;
  std::vector<StepRow> steps;
  std::vector<LayerRecord> layers;
  std::vector<std::string> weight_layers;  ///< what EpochRow::alignment speaks about
  std::vector<GateRecord> gates;           ///< empty without gating
  std::vector<std::string> measure_names;  ///< what EpochRow::measures holds
  std::vector<GoodnessRecord> goodness;    ///< per level; empty for networks without
  std::vector<PictureRecord> pictures;
  std::vector<EmbeddingRecord> embeddings;
  std::vector<RepresentationRecord> representations;  ///< per hidden layer; empty unless asked for
  /// Per hidden layer (kUnitMeasures) and layer with weights (kWeightMeasures); empty unless asked
  /// for.
  std::vector<PlasticityRecord> unit_plasticity, weight_plasticity;
  std::optional<ReturnRecord> returns;  ///< where agents act
  std::int64_t optimizer_steps = 0;     ///< of the whole run: none, one or several per batch
  Macs train_macs, test_macs;           ///< of the whole run

  int tasks() const { return static_cast<int>(task_names.size()); }
  /// Whether the matrix holds scores of agents instead of accuracies: 0 is random, 1 the expert,
  /// and there is more below and above.
  bool is_score() const { return returns.has_value(); }
};

}  // namespace engram
