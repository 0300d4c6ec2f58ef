// Classes and tasks of unequal size. Only training examples are taken away: validation and test
// sets stay as balanced as the data set is.
#pragma once

#include <cstdint>
#include <vector>

#include "benchmarks/dataset.h"
#include "benchmarks/stream_options.h"

namespace engram {

/// [classes]: the share of its training examples that each class keeps. The class at place c of
/// `imbalance_order` keeps imbalance^(-c / (C - 1)), the exponential profile of Cui et al. 2019:
/// the first keeps all, the last one in `imbalance`.
std::vector<double> class_shares(const StreamOptions&, int classes, std::uint64_t seed);

/// [tasks]: the same of tasks: `task_sizes`, or task_imbalance^(-t / (T - 1)). Error(Config) when
/// both are set, or when there are not as many sizes as tasks.
std::vector<double> task_shares(const StreamOptions&, int tasks);

/// Whether the options take anything away.
bool is_imbalanced(const StreamOptions&);

/// Keeps shares[label] * share of the rows of every class, rounded, at least one. Those kept of a
/// smaller share are among those kept of a larger one. `rows` stay ascending.
void thin_out(std::vector<std::uint32_t>& rows, const Images&, const std::vector<double>& shares,
              double share, std::uint64_t seed);

}  // namespace engram
