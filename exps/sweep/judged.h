// What the runs of a grid have shown so far: the few numbers of each that a choice and its table
// need.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "exps/metrics.h"
#include "exps/summary.h"
#include "exps/sweep/grid.h"

namespace engram {

struct JudgedRun {
  std::uint64_t seed = 0;
  double score = kNotEvaluated;  ///< the metric that is asked for
  double forgetting = kNotEvaluated;
  double seconds = 0;  ///< training and evaluating
  Macs train_macs, test_macs;
  std::string data{};  ///< SHA-256 of what it learnt
};
JudgedRun judge(const RunRecord& run, ForgettingDefinition definition, std::string_view metric);

struct FailedRun {
  std::uint64_t seed = 0;
  std::string why;
};

/// A point of a grid with its runs.
struct JudgedPoint {
  GridPoint values{};
  std::string folder{};           ///< of its results, without those above
  std::size_t wanted = 0;         ///< runs that there should be
  std::vector<JudgedRun> runs{};  ///< that are complete
  std::vector<FailedRun> failures{};

  /// True when every run is there and has a score.
  bool whole() const;
  Summary score() const;  ///< over the runs
  Summary forgetting() const;
};

/// What it took to find out.
struct SearchCost {
  std::size_t runs = 0, failed = 0;
  double seconds = 0, multiply_adds = 0;  ///< of complete runs, training and evaluating
};
SearchCost cost_of(const std::vector<JudgedPoint>& points);

/// The first of the points that are whole with the best mean score: the least where `direction` is
/// -1. With a `drop` above 0: the first whose score is at least 1 - drop of the best (1 + drop, the
/// other way round). points.size() when none is whole.
std::size_t best_point(const std::vector<JudgedPoint>& points, int direction, double drop = 0);

}  // namespace engram
