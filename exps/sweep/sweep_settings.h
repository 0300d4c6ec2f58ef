// The keys of a .cfg that `engram sweep` reads: grids, and how a point of them is chosen. A run
// neither depends on them nor records them.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "exps/sweep/grid.h"
#include "utils/config.h"
#include "utils/options.h"

namespace engram {

/// By what the setting of the final runs is chosen; exps/README.md says what each is good for.
enum class Selection { None, FirstTasks, PerTask, Oracle, OracleTest };
template <>
struct Choices<Selection> {
  static constexpr std::array<std::string_view, 5> names{"none", "first_tasks", "per_task",
                                                         "oracle", "oracle_test"};
};

struct SweepOptions {
  Selection selection = Selection::None;
  int selection_tasks = 3;
  std::string selection_seeds = "100..102";
  double selection_validation = 0.1, selection_drop = 0;

  template <class V>
  void describe(V&& v) {
    v("selection", selection,
      "how `engram sweep` chooses a point of the grid for final runs: not at all; on the first "
      "selection_tasks tasks alone; by each task just after it was learnt; by all tasks at the "
      "end; or (oracle_test) by the tests, which is tuning on test");
    v("selection_tasks", selection_tasks, Range::at_least(1),
      "first_tasks: so many tasks are learnt and judged to choose (Chaudhry et al. 2019: 3)");
    v("selection_seeds", selection_seeds, "seeds of the runs that choose, none of the final runs");
    v("selection_validation", selection_validation, Range::above(0).below(1),
      "share of the training examples that judge the runs that choose, where `validation` is 0");
    v("selection_drop", selection_drop, Range::at_least(0).below(1),
      "per_task: the first point of the grid is chosen that keeps at least 1 - selection_drop of "
      "the best score, so that steadier points written first may lose that much (De Lange et al. "
      "2021, FACIL: 0.2)");
  }
};

struct SweepSettings {
  SweepOptions options;
  Grid grid;  ///< of the `grid.KEY` lines, by KEY
};

/// Takes the keys out of the configuration and reads them. Error(Config) for unknown ones.
SweepSettings take_sweep_settings(Config& config);
/// Error at the axis's source, with the nearest name, when no part of Engram has such an option.
void check_axis(const GridAxis& axis);

}  // namespace engram
