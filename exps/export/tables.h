// Results as tidy tables: a row is one observation, and says of which experiment and seed.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "exps/analysis/results_set.h"

namespace engram {

using TableRow = std::vector<std::string>;

struct TidyTable {
  std::string_view name;     ///< "accuracy"
  std::string_view columns;  ///< "experiment,seed,..."
  /// Calls add(row) with as many cells as there are columns.
  void (*fill)(const ResultsSet&, const std::function<void(const TableRow&)>& add);
};

std::span<const TidyTable> tidy_tables();
/// Error(Usage) with the nearest name when there is no such table.
const TidyTable& find_tidy_table(std::string_view name);

/// As CSV (RFC 4180, lines end with \n): numbers read back to the same bits, NaN is an empty cell.
std::string csv_text(const TidyTable& table, const ResultsSet& set);

}  // namespace engram
