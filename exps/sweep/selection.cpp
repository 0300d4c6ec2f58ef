#include "exps/sweep/selection.h"

#include <fmt/format.h>

#include "utils/error.h"

namespace engram {

std::vector<std::pair<std::string, std::string>> selection_settings(const Settings& s, int tasks) {
  const SweepOptions& o = s.sweep.options;
  const auto refuse = [&](const std::string& why) {
    throw Error(Fault::Config,
                fmt::format("{}: selection = {}: {}", s.experiment, name_of(o.selection), why));
  };
  if (o.selection == Selection::None) return {};
  if (!s.acts() && s.evaluation.evaluate_validation)
    refuse("the final runs are to be judged by the tests; set evaluate_validation = no");
  if (tunes_on_test(o.selection)) return {};
  if (s.acts())
    refuse("simulations have no validation parts; use oracle_test, which says so in its results");

  std::vector<std::pair<std::string, std::string>> changed{{"evaluate_validation", "yes"}};
  if (s.stream.validation == 0)
    changed.emplace_back("validation", option::print(o.selection_validation));
  if (o.selection != Selection::FirstTasks) return changed;
  if (o.selection_tasks >= tasks)
    refuse(fmt::format("selection_tasks = {} of {} tasks leaves none that are new to the choice",
                       o.selection_tasks, tasks));
  changed.emplace_back("first_tasks", option::print(o.selection_tasks));
  return changed;
}

std::string selection_metric(Selection protocol, const std::string& asked) {
  return protocol == Selection::PerTask ? "learning_accuracy" : asked;
}

std::string judged_on(const SweepOptions& o) {
  switch (o.selection) {
    case Selection::None:
      return "";
    case Selection::FirstTasks:
      return o.selection_tasks == 1
                 ? "the validation part of the first task"
                 : fmt::format("the validation parts of the first {} tasks", o.selection_tasks);
    case Selection::PerTask:
      return "the validation part of each task just after it was learnt";
    case Selection::Oracle:
      return "the validation parts of all tasks";
    case Selection::OracleTest:
      return "the test sets of all tasks";
  }
  broken_invariant("selection is one of its choices");
}

}  // namespace engram
