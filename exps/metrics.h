// Metrics of continual learning, as pure functions of the accuracy matrix, so that they can be
// computed again from any old file. R[t, i]: accuracy on task i after experience t; row 0 is the
// untrained model. NaN in what a metric needs makes the metric NaN.
// Where tasks come back, experience t trains task o_t of the run's order, and a task has a first
// and a last visit. What says how well a task is learnt, or known before (LA, FWT), looks at the
// first; what says how much of it is lost (BWT, forgetting) at the last, and leaves out the task
// that was trained just now. With every task visited once these are the definitions of the papers.
#pragma once

#include <array>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "exps/record.h"
#include "utils/options.h"

namespace engram {

/// Whose definition of forgetting: Chaudhry et al. 2018 (best earlier row, which may be below the
/// last); avalanche (just-learnt minus last = -BWT); mammoth (best row including the last, >= 0).
enum class ForgettingDefinition { Chaudhry, Avalanche, Mammoth };
template <>
struct Choices<ForgettingDefinition> {
  static constexpr std::array<std::string_view, 3> names{"chaudhry", "avalanche", "mammoth"};
};

struct Metric {
  std::string name;        ///< "average_accuracy"
  std::string definition;  ///< formula and source, one sentence
  double value = kNotEvaluated;
};

/// All metrics of a run, in the order they are printed. From the matrix: average_accuracy (ACC,
/// task mean), sample_accuracy (weighted by test size), average_incremental_accuracy (AIA),
/// learning_accuracy (LA), bwt, fwt, forgetting. When plasticity was measured: online_accuracy.
/// When continual evaluations were recorded: min_accuracy (min-ACC), worst_case_accuracy (WC-ACC),
/// stability_gap, prequential_accuracy, average_anytime_accuracy.
std::vector<Metric> compute_metrics(const RunRecord&, ForgettingDefinition);
/// One of them by name; NaN when the run lacks it.
double metric_value(const RunRecord&, ForgettingDefinition, std::string_view name);

/// A_t for t = 1..E: mean accuracy over the tasks seen after experience t. `order`: as
/// RunRecord::order.
std::vector<double> average_accuracy_curve(const Table& accuracy, std::span<const int> order = {});
/// Forgetting after experience k = 2..E (index 0 is NaN).
std::vector<double> forgetting_curve(const Table& accuracy, ForgettingDefinition,
                                     std::span<const int> order = {});

/// Weighted Jaccard index of two rows of unit usage: sum min(p, q) / sum max(p, q), with p and q
/// the counts divided by the number of inputs. 1: the same units as often; 0: disjoint.
Table usage_overlap(const xt::xtensor<std::uint32_t, 2>& usage, const std::vector<int>& inputs);

}  // namespace engram
