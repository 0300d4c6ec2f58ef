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

int classes_per_task(const StreamOptions& options, const Dataset& data) {
  const auto refuse = [&](const std::string& why) {
    throw Error(Fault::Config, fmt::format("split {}: {}", data.name, why));
  };
  if (options.classes_per_task) {
    const int k = *options.classes_per_task, groups = data.classes / k;
    if (options.tasks > groups)
      refuse(
          fmt::format("{} tasks of {} classes need more than its {} classes; use at most "
                      "tasks = {}, or fewer classes_per_task",
                      options.tasks, k, data.classes, groups));
    return k;
  }
  const int k = data.classes / options.tasks;
  if (k < 2)
    refuse(
        fmt::format("{} tasks over {} classes leave fewer than two classes a task; use at most "
                    "tasks = {} (or set classes_per_task = 1 if you mean it)",
                    options.tasks, data.classes, data.classes / 2));
  if (data.classes % options.tasks != 0)
    refuse(
        fmt::format("{} classes do not divide into {} tasks; set classes_per_task = {} to use "
                    "{} of them",
                    data.classes, options.tasks, k, k * options.tasks));
  return k;
}

/// "digits 4 5", "classes 10-19".
std::string name_of_task(const std::string& dataset, const std::vector<int>& classes) {
  const std::string noun = dataset == "mnist" ? "digits" : "classes";
  const bool run = classes.back() - classes.front() + 1 == static_cast<int>(classes.size());
  if (run && classes.size() > 3)
    return fmt::format("{} {}-{}", noun, classes.front(), classes.back());
  return fmt::format("{} {}", noun, fmt::join(classes, " "));
}

}  // namespace

std::unique_ptr<TaskStream> make_split(const StreamOptions& options, const Dataset& data,
                                       std::uint64_t seed) {
  const int k = classes_per_task(options, data);
  std::vector<int> order = all_classes(data);
  if (options.class_order == ClassOrder::Seed) {
    Rng rng = Rng(options.order_seed.value_or(seed)).fork("class_order");
    rng.shuffle(std::span(order));
  }
  const auto map = PixelMap::identity(data.shape(), pixel_scale(options, data), options.pad);
  std::vector<TaskPlan> plans(static_cast<std::size_t>(options.tasks));
  for (std::size_t t = 0; t < plans.size(); ++t) {
    const auto begin = order.begin() + static_cast<std::ptrdiff_t>(t) * k;
    plans[t].classes.assign(begin, begin + k);
    std::sort(plans[t].classes.begin(), plans[t].classes.end());
    plans[t].name = name_of_task(data.name, plans[t].classes);
    plans[t].map = map;
  }
  fill_rows(options, data, seed, plans);
  return std::make_unique<CutStream>(data, "split " + data.name, std::move(plans), false);
}

}  // namespace engram
