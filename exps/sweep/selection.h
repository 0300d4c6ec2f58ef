// Protocols that choose a point of a grid: what the runs that choose look at, and by which number.
// Whoever reports the final runs must be able to say that their tests had no part in the choice.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "exps/experiment.h"
#include "exps/sweep/sweep_settings.h"

namespace engram {

/// The settings that a protocol changes in the runs that choose, as keys and values.
/// first_tasks: the stream ends after selection_tasks tasks, whose validation parts fill the matrix
/// (the cross-validation tasks of Chaudhry et al. 2019). per_task, oracle: the whole stream,
/// likewise. oracle_test: nothing, the tests fill the matrix.
/// Error(Config) for experiments that a protocol cannot choose for: simulations have no validation
/// parts, the final runs must be judged by the tests, and first_tasks must leave tasks for that.
std::vector<std::pair<std::string, std::string>> selection_settings(const Settings& experiment,
                                                                    int tasks);

/// The metric that a protocol goes by: per_task has its own, learning_accuracy, the mean accuracy
/// of each task just after it was learnt (so that nothing but the task at hand is looked at, as De
/// Lange et al. 2021 ask); the others take what is asked for.
std::string selection_metric(Selection protocol, const std::string& asked);

/// "the validation parts of the first 3 tasks"
std::string judged_on(const SweepOptions& options);

inline bool tunes_on_test(Selection protocol) {
  return protocol == Selection::OracleTest;
}

}  // namespace engram
