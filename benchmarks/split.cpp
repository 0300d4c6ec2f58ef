// Every task is some of the classes (split MNIST: Zenke et al. 2017; iCIFAR-100: Rebuffi et al.
// 2017). Labels stay those of the data set; benchmarks/scenario.h turns them into targets.
#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "benchmarks/cut_stream.h"
#include "utils/error.h"
#include "utils/rng.h"

namespace engram {
namespace {

/// Classes of the first task and of every other one.
struct Sizes {
  int first = 0, other = 0;
};

Sizes task_sizes(const StreamOptions& options, const Dataset& data) {
  const auto refuse = [&](const std::string& why) {
    throw Error(Fault::Config, fmt::format("split {}: {}", data.name, why));
  };
  const bool base = options.base_classes.has_value();
  const int first = options.base_classes.value_or(0), left = data.classes - first;
  const int others = base ? options.tasks - 1 : options.tasks;
  if (left < 0 || (left == 0 && others > 0))
    refuse(fmt::format("base_classes = {} leaves nothing of its {} classes for other tasks", first,
                       data.classes));
  if (others == 0) return {first, 0};
  const std::string what =
      base ? fmt::format("{} tasks after the first", others) : fmt::format("{} tasks", others);
  if (options.classes_per_task) {
    const int k = *options.classes_per_task, groups = left / k;
    if (others > groups)
      refuse(
          fmt::format("{} of {} classes need more than its {} classes; use at most "
                      "tasks = {}, or fewer classes_per_task",
                      what, k, left, base ? groups + 1 : groups));
    return {base ? first : k, k};
  }
  const int k = left / others;
  if (k < (base ? 1 : 2))
    refuse(fmt::format("{} over {} classes leave fewer than {} a task; use at most tasks = {}{}",
                       what, left, base ? "one class" : "two classes", base ? left + 1 : left / 2,
                       base ? "" : " (or set classes_per_task = 1 if you mean it)"));
  if (left % others != 0)
    refuse(
        fmt::format("{} classes do not divide into {}; set classes_per_task = {} to use {} of "
                    "them",
                    left, what, k, k * others));
  return {base ? first : k, k};
}

/// "digits 4 5", "classes 10-19", "cat dog" where they have names.
std::string name_of_task(const Dataset& data, const std::vector<int>& classes) {
  if (!data.class_names.empty() && classes.size() <= 3) {
    std::vector<std::string> names;
    for (const int c : classes)
      names.push_back(data.class_names[static_cast<std::size_t>(c)]);
    return fmt::format("{}", fmt::join(names, " "));
  }
  const std::string noun = data.name == "mnist" ? "digits" : "classes";
  const bool run = classes.back() - classes.front() + 1 == static_cast<int>(classes.size());
  if (run && classes.size() > 3)
    return fmt::format("{} {}-{}", noun, classes.front(), classes.back());
  return fmt::format("{} {}", noun, fmt::join(classes, " "));
}

}  // namespace

std::unique_ptr<TaskStream> make_split(const StreamOptions& options, const Dataset& data,
                                       std::uint64_t seed) {
  const Sizes sizes = task_sizes(options, data);
  std::vector<int> order = all_classes(data);
  if (options.class_order == ClassOrder::Seed) {
    Rng rng = Rng(options.order_seed.value_or(seed)).fork("class_order");
    rng.shuffle(std::span(order));
  }
  const auto map = PixelMap::identity(data.shape(), pixel_scale(options, data), options.pad);
  std::vector<TaskPlan> plans(static_cast<std::size_t>(options.tasks));
  auto next = order.begin();
  for (std::size_t t = 0; t < plans.size(); ++t) {
    const int size = t == 0 ? sizes.first : sizes.other;
    plans[t].classes.assign(next, next + size);
    next += size;
    std::sort(plans[t].classes.begin(), plans[t].classes.end());
    plans[t].name = name_of_task(data, plans[t].classes);
    plans[t].map = map;
  }
  fill_rows(options, data, seed, plans);
  return std::make_unique<CutStream>(data, "split " + data.name, std::move(plans), false);
}

}  // namespace engram
