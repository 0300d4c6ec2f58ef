#include "benchmarks/repetition.h"

#include <algorithm>
#include <numeric>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "benchmarks/wrapped_stream.h"
#include "utils/error.h"
#include "utils/rng.h"

namespace engram {
namespace {

[[noreturn]] void refuse(const std::string& why) {
  throw Error(Fault::Config, "task_order: " + why);
}

/// The task of every phase.
std::vector<int> order_of_tasks(const StreamOptions& options, int tasks) {
  std::vector<int> once = options.task_order;
  if (once.empty()) {
    once.resize(static_cast<std::size_t>(tasks));
    std::iota(once.begin(), once.end(), 0);
  }
  int met = 0;
  for (const int task : once) {
    if (task < 0 || task >= tasks)
      refuse(fmt::format("there is no task {}: the {} tasks are 0 to {}", task, tasks, tasks - 1));
    if (task > met)
      refuse(
          fmt::format("task {} comes before task {}; let new tasks come in the order of their "
                      "numbers, and choose what they hold by order_seed or permutation_seed",
                      task, met));
    met = std::max(met, task + 1);
  }
  if (met < tasks) refuse(fmt::format("task {} never comes; add it, or set tasks = {}", met, met));
  std::vector<int> order;
  for (int k = 0; k < options.repeats; ++k)
    order.insert(order.end(), once.begin(), once.end());
  return order;
}

class Repeated : public WrappedStream {
 public:
  Repeated(std::unique_ptr<TaskStream> inner, std::vector<int> order, RepeatData data, Rng rng)
      : WrappedStream(std::move(inner)), order_(std::move(order)), data_(data), rng_(rng) {
    if (data_ == RepeatData::Parts)
      for (int e = 0; e < experiences(); ++e)
        if (experience(e).train.empty())
          refuse(
              fmt::format("visit {} of the task '{}' has no examples left; use fewer visits or "
                          "repeat_data = all",
                          visit_of(e), inner_->task_name(task_of(e))));
  }
  std::string describe() const override {
    return fmt::format("{}; tasks in the order {}{}", inner_->describe(), fmt::join(order_, " "),
                       data_ == RepeatData::Parts ? ", a part of its examples at each visit" : "");
  }
  int experiences() const override { return static_cast<int>(order_.size()); }
  int task_of(int e) const override { return order_.at(static_cast<std::size_t>(e)); }
  Experience experience(int e) const override {
    Experience one = inner_->experience(task_of(e));
    one.seen = *std::max_element(order_.begin(), order_.begin() + e + 1) + 1;
    if (data_ == RepeatData::Parts) one.train = part(one.train, task_of(e), visit_of(e));
    return one;
  }

 private:
  int visit_of(int e) const {
    return static_cast<int>(std::count(order_.begin(), order_.begin() + e, task_of(e)));
  }

  /// Examples are dealt to the visits one by one, class after class, so that every visit gets its
  /// share of every class.
  ExampleSet part(const ExampleSet& all, int task, int visit) const {
    const auto visits = static_cast<std::size_t>(std::count(order_.begin(), order_.end(), task));
    auto places = rng_.fork("visits", static_cast<std::uint64_t>(task))
                      .permutation(static_cast<std::uint32_t>(all.size()));
    std::stable_sort(places.begin(), places.end(),
                     [&](std::uint32_t a, std::uint32_t b) { return all.label(a) < all.label(b); });
    std::vector<std::uint32_t> dealt;
    for (auto i = static_cast<std::size_t>(visit); i < places.size(); i += visits)
      dealt.push_back(places[i]);
    std::sort(dealt.begin(), dealt.end());
    return all.subset(dealt);
  }

  std::vector<int> order_;
  RepeatData data_;
  Rng rng_;
};

}  // namespace

bool repeats_tasks(const StreamOptions& options) {
  return !options.task_order.empty() || options.repeats > 1;
}

std::unique_ptr<TaskStream> make_repeated(std::unique_ptr<TaskStream> stream,
                                          const StreamOptions& options, std::uint64_t seed) {
  std::vector<int> order = order_of_tasks(options, stream->tasks());
  return std::make_unique<Repeated>(std::move(stream), std::move(order), options.repeat_data,
                                    Rng(seed).fork("repetition"));
}

}  // namespace engram
