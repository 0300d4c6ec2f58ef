#include "benchmarks/cut_stream.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <utility>

#include <fmt/format.h>

#include "benchmarks/catalog.h"
#include "benchmarks/imbalance.h"
#include "benchmarks/own/own_data.h"
#include "utils/error.h"
#include "utils/rng.h"

namespace engram {
namespace {

/// Rows of the first `limit` images (0: all) whose label is in `classes`, ascending.
std::vector<std::uint32_t> rows_of(const Images& images, int limit,
                                   const std::vector<int>& classes) {
  std::vector<bool> wanted(std::size_t{std::numeric_limits<Label>::max()} + 1);
  for (const int c : classes)
    wanted[static_cast<std::size_t>(c)] = true;
  const std::size_t n = limited(images.size(), limit);
  std::vector<std::uint32_t> rows;
  for (std::size_t i = 0; i < n; ++i)
    if (wanted[images.labels[i]]) rows.push_back(static_cast<std::uint32_t>(i));
  return rows;
}

/// Leaves the first `limit` rows of every class.
void keep_first(std::vector<std::uint32_t>& rows, const Images& images, int limit) {
  std::map<Label, int> kept;
  std::erase_if(rows, [&](std::uint32_t row) { return kept[images.labels[row]]++ >= limit; });
}

/// Takes the share `fraction` of every class out of `rows` and returns it; both stay ascending.
/// At least one example of each class stays.
std::vector<std::uint32_t> hold_out(std::vector<std::uint32_t>& rows, const Images& images,
                                    double fraction, Rng rng) {
  std::map<Label, std::vector<std::uint32_t>> by_class;
  for (const std::uint32_t row : rows)
    by_class[images.labels[row]].push_back(row);
  std::vector<std::uint32_t> kept, held;
  for (auto& [label, members] : by_class) {
    rng.shuffle(std::span(members));
    const double share = fraction * static_cast<double>(members.size());
    const auto n = std::min<std::ptrdiff_t>(std::lround(share),
                                            static_cast<std::ptrdiff_t>(members.size()) - 1);
    held.insert(held.end(), members.begin(), members.begin() + n);
    kept.insert(kept.end(), members.begin() + n, members.end());
  }
  std::sort(kept.begin(), kept.end());
  std::sort(held.begin(), held.end());
  rows = std::move(kept);
  return held;
}

/// Nobody could choose or stop by examples that are not there.
void require_validation(const std::vector<std::uint32_t>& held, const StreamOptions& options,
                        const std::string& whose, std::size_t of) {
  if (options.validation > 0 && held.empty())
    throw Error(Fault::Config, fmt::format("validation = {} leaves no example for the validation "
                                           "part of {} ({} training examples); raise it, or "
                                           "train_limit and class_limit, or set it to 0",
                                           options.validation, whose, of));
}

Rows share(std::vector<std::uint32_t> rows) {
  return std::make_shared<const std::vector<std::uint32_t>>(std::move(rows));
}

}  // namespace

CutStream::CutStream(const Dataset& data, std::string label, std::vector<TaskPlan> plans,
                     bool tasks_share_labels)
    : data_(data),
      label_(std::move(label)),
      plans_(std::move(plans)),
      tasks_share_labels_(tasks_share_labels) {
  ENGRAM_INVARIANT(!plans_.empty());
  for (const TaskPlan& p : plans_)
    if (p.train->empty() || p.test->empty())
      throw Error(Fault::Config,
                  fmt::format("{}: the task '{}' has {} training and {} test examples; raise "
                              "train_limit and test_limit, or set them to 0",
                              label_, p.name, p.train->size(), p.test->size()));
}

const TaskPlan& CutStream::plan(int task) const {
  ENGRAM_INVARIANT(task >= 0 && task < tasks());
  return plans_[static_cast<std::size_t>(task)];
}

std::string CutStream::describe() const {
  const TaskPlan& first = plans_.front();
  return fmt::format(
      "{}, {} tasks of {} classes; {} training and {} test images of {} in the first", label_,
      tasks(), first.classes.size(), first.train->size(), first.test->size(), shape().text());
}

Experience CutStream::experience(int e) const {
  const TaskPlan& p = plan(e);
  return {.index = e,
          .classes = p.classes,
          .train = ExampleSet(data_.train, p.train, p.map, e, p.view),
          .validation = validation(e),
          .test = test(e)};
}

ExampleSet CutStream::test(int task) const {
  const TaskPlan& p = plan(task);
  return {data_.test, p.test, p.map, task, p.view};
}

ExampleSet CutStream::validation(int task) const {
  const TaskPlan& p = plan(task);
  return {data_.train, p.validation, p.map, task, p.view};
}

PixelScale pixel_scale(const StreamOptions& options, const Dataset& data) {
  const int channels = data.shape().channels;
  const auto need = [&](int expected, const char* hint) {
    if (channels != expected)
      throw Error(Fault::Config,
                  fmt::format("normalise = {} is for images of {} channel{}, {} has {}; use {}",
                              name_of(options.normalise), expected, expected == 1 ? "" : "s",
                              data.name, channels, hint));
  };
  switch (options.normalise) {
    case Normalise::None:
      return {};
    case Normalise::Standard:
      return data.name.starts_with(kOwnData) ? measured_scale(*data.train)
                                             : dataset_entry(data.name).standard;
    case Normalise::Imagenet:
      need(3, "standard or none");
      return {{.485, .456, .406}, {.229, .224, .225, 1}};
    case Normalise::Hsu:
      need(1, "standard, imagenet or none");
      return {{.1000}, {.2752, 1, 1, 1}};
    case Normalise::Mnist:
      need(1, "standard, half or none");
      return {{.1307}, {.3081, 1, 1, 1}};
    case Normalise::Half:
      return {{.5, .5, .5, .5}, {.5, .5, .5, .5}};
  }
  broken_invariant("normalise is one of its choices");
}

void fill_rows(const StreamOptions& options, const Dataset& data, std::uint64_t seed,
               std::vector<TaskPlan>& plans) {
  const Rows none = share({});
  const bool thin = is_imbalanced(options);
  const auto of_class = class_shares(options, data.classes, seed);
  // The plan of the data set as it is has no tasks.
  const auto of_task = static_cast<int>(plans.size()) == options.tasks
                           ? task_shares(options, options.tasks)
                           : std::vector<double>(plans.size(), 1);
  std::size_t split = 0;  // the task whose split this one shares
  for (std::size_t t = 0; t < plans.size(); ++t) {
    TaskPlan& plan = plans[t];
    const TaskPlan* before =
        t > 0 && plans[t - 1].classes == plan.classes ? &plans[t - 1] : nullptr;
    if (!before) split = t;
    plan.test =
        before ? before->test : share(rows_of(*data.test, options.test_limit, plan.classes));
    plan.validation = before ? before->validation : none;
    if (before && of_task[t] == of_task[t - 1]) {
      plan.train = before->train;
      continue;
    }
    auto rows = rows_of(*data.train, options.train_limit, plan.classes);
    if (options.class_limit > 0) keep_first(rows, *data.train, options.class_limit);
    if (options.validation > 0) {
      const std::size_t whole = rows.size();
      auto held =
          hold_out(rows, *data.train, options.validation, Rng(seed).fork("validation", split));
      require_validation(held, options, plan.name, whole);
      if (!before) plan.validation = share(std::move(held));
    }
    if (thin) thin_out(rows, *data.train, of_class, of_task[t], seed);
    plan.train = share(std::move(rows));
  }
}

std::unique_ptr<TaskStream> make_views(const StreamOptions& options, const Dataset& data,
                                       std::string label, const std::vector<int>& views) {
  const auto range = [](std::size_t begin, std::size_t end) {
    std::vector<std::uint32_t> rows(end - begin);
    std::iota(rows.begin(), rows.end(), static_cast<std::uint32_t>(begin));
    return share(std::move(rows));
  };
  const std::size_t n = data.train->size(), learnt = n - data.held_out;
  TaskPlan plan;
  plan.classes = all_classes(data);
  plan.train = range(0, limited(learnt, options.train_limit));
  plan.validation = range(options.validation > 0 ? learnt : n, n);
  require_validation(*plan.validation, options, label, n);
  plan.test = range(0, limited(data.test->size(), options.test_limit));
  plan.map = PixelMap::identity(data.shape(), pixel_scale(options, data), options.pad);
  std::vector<TaskPlan> plans;
  for (const int view : views) {
    plan.view = view;
    plan.name = data.views[static_cast<std::size_t>(view)];
    plans.push_back(plan);
  }
  return std::make_unique<CutStream>(data, std::move(label), std::move(plans), true);
}

std::vector<int> all_classes(const Dataset& data) {
  std::vector<int> classes(static_cast<std::size_t>(data.classes));
  std::iota(classes.begin(), classes.end(), 0);
  return classes;
}

}  // namespace engram
