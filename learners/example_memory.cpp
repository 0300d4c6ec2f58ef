#include "learners/example_memory.h"

#include <algorithm>
#include <numeric>

#include <fmt/format.h>

#include "learners/gather_images.h"
#include "utils/error.h"

namespace engram {
namespace {

constexpr std::uint32_t kCarry = 1 << 24;

}  // namespace

ExampleMemory::ExampleMemory(const MemoryOptions& o, const StrategyContext& context,
                             const std::string& name, int beside)
    : o_(o), beside_width_(beside) {
  if (!context.stream) return;  // agents: refused elsewhere
  find_groups(*context.stream);
  const bool ring = o_.policy == MemoryPolicy::ClassRing || o_.policy == MemoryPolicy::TaskRing;
  if (ring && o_.memory < groups_)
    throw Error(Fault::Config,
                fmt::format("{}.memory = {} has not one place for each of the {} {} of the stream; "
                            "make it larger or choose another {}.policy",
                            name, o_.memory, groups_, by_task() ? "tasks" : "classes", name));
  const auto capacity = static_cast<std::size_t>(o_.memory);
  slots_.assign(3 * capacity, 0);
  beside_.assign(capacity * static_cast<std::size_t>(beside), 0);
  held_.assign(static_cast<std::size_t>(groups_), 0), full_ = held_;
  seen_.assign(2 * (static_cast<std::size_t>(groups_) + 1), 0);
  marks_.assign(capacity, 0);
}

void ExampleMemory::find_groups(const TaskStream& stream) {
  labels_ = stream.labels(), tasks_share_labels_ = stream.tasks_share_labels();
  group_of_.assign(static_cast<std::size_t>(stream.tasks() * labels_), -1);
  std::vector<std::int32_t> of_label(static_cast<std::size_t>(labels_), -1);
  groups_ = 0;
  for (int task = 0; task < stream.tasks(); ++task) {
    for (const int label : stream.classes(task)) {
      auto& group = group_of_[static_cast<std::size_t>(task * labels_ + label)];
      auto& known = of_label[static_cast<std::size_t>(label)];
      if (by_task()) {
        group = task;
      } else if (tasks_share_labels_) {
        group = groups_++;
      } else {
        if (known < 0) known = groups_++;
        group = known;
      }
    }
  }
  if (by_task()) groups_ = stream.tasks();
}

bool ExampleMemory::needs_borders() const {
  const bool by_class = o_.policy != MemoryPolicy::Reservoir && !by_task();
  return o_.insert == InsertAt::TaskEnd || by_task() || (by_class && tasks_share_labels_);
}

std::uint32_t ExampleMemory::count(int i) const {
  const auto at = 2 * static_cast<std::size_t>(i);
  return kCarry * static_cast<std::uint32_t>(seen_[at]) + static_cast<std::uint32_t>(seen_[at + 1]);
}

void ExampleMemory::increment(int i) {
  const auto at = 2 * static_cast<std::size_t>(i);
  seen_[at + 1] += 1;
  if (seen_[at + 1] == static_cast<real>(kCarry)) seen_[at] += 1, seen_[at + 1] = 0;
}

void ExampleMemory::take_batch(const Training& t, const Batch& batch, const Rng& rng,
                               std::span<const real> beside) {
  // What goes beside an example is known from the first epoch with labels on.
  const int first = beside_width_ > 0 ? t.unlabelled : 0;
  if (o_.insert != InsertAt::Step || (t.epoch > first && !o_.every_epoch)) return;
  if (t.step == last_step_) return;  // another update with the same batch
  last_step_ = t.step;
  Rng draw = rng.fork("insert");
  const ExampleSet& train = t.experience->train;
  const auto width = static_cast<std::size_t>(beside_width_);
  for (std::size_t b = 0; b < batch.place.size(); ++b) {
    const std::uint32_t place = batch.place[b];
    take({t.phase, place, train.task(place), train.label(place)}, draw,
         beside.empty() ? beside : beside.subspan(b * width, width));
  }
}

void ExampleMemory::take_task(const Training& t, Rng rng) {
  if (o_.insert != InsertAt::TaskEnd) return;
  const ExampleSet& train = t.experience->train;
  const auto order = rng.permutation(static_cast<std::uint32_t>(train.size()));
  Rng draw = rng.fork("insert");
  for (const std::uint32_t place : order)
    take({t.phase, place, train.task(place), train.label(place)}, draw);
}

int ExampleMemory::group_of(const Remembered& e) const {
  const int group = group_of_[static_cast<std::size_t>(e.task * labels_ + e.label)];
  ENGRAM_INVARIANT(group >= 0 && e.place < kCarry);
  return group;
}

void ExampleMemory::write(std::size_t slot, const Remembered& e, int group) {
  held_[static_cast<std::size_t>(group)] += 1;
  slots_[3 * slot] = static_cast<real>(e.experience);
  slots_[3 * slot + 1] = static_cast<real>(e.place);
  slots_[3 * slot + 2] = static_cast<real>(group);
}

void ExampleMemory::take(const Remembered& e, Rng& rng, std::span<const real> beside) {
  const auto width = static_cast<std::size_t>(beside_width_);
  ENGRAM_INVARIANT(beside.size() == width);
  const int group = group_of(e);
  increment(group), increment(groups_);
  const std::int64_t at = slot_for(group, rng);
  if (at < 0) return;
  const auto slot = static_cast<std::size_t>(at);
  if (at == size())
    filled_[0] += 1;
  else
    held_[static_cast<std::size_t>(slots_[3 * slot + 2])] -= 1;
  write(slot, e, group);
  std::ranges::copy(beside, beside_.begin() + static_cast<std::ptrdiff_t>(slot * width));
}

void ExampleMemory::keep(std::span<const Remembered> all) {
  ENGRAM_INVARIANT(all.size() <= static_cast<std::size_t>(capacity()));
  std::ranges::fill(held_, real{0});
  filled_[0] = static_cast<real>(all.size());
  for (std::size_t slot = 0; slot < all.size(); ++slot)
    write(slot, all[slot], group_of(all[slot]));
}

std::int64_t ExampleMemory::slot_for(int group, Rng& rng) {
  const bool full = size() == capacity();
  switch (o_.policy) {
    case MemoryPolicy::Reservoir: {
      if (!full) return size();
      const std::uint32_t r = rng.below(count(groups_));
      return r < static_cast<std::uint32_t>(capacity()) ? static_cast<std::int64_t>(r) : -1;
    }
    case MemoryPolicy::ClassBalanced:
    case MemoryPolicy::TaskBalanced:
      return full ? slot_for_balanced(group, rng) : size();
    case MemoryPolicy::Greedy: {
      if (!full) return size();
      const int most = largest();
      if (held(group) >= held(most) - 1) return -1;  // classes differ by one at most
      return nth_of(most, static_cast<int>(rng.below(static_cast<std::uint32_t>(held(most)))));
    }
    case MemoryPolicy::ClassRing:
    case MemoryPolicy::TaskRing: {
      const int share = capacity() / groups_;
      if (held(group) < share) return size();
      const std::uint32_t before = count(group) - 1;
      return nth_of(group, static_cast<int>(before % static_cast<std::uint32_t>(share)));
    }
  }
  broken_invariant("the policy is one of its choices");
}

/// A group that has been the largest of a full memory has lost examples: since then what is left of
/// it is a reservoir. Others grow at the cost of the largest.
std::int64_t ExampleMemory::slot_for_balanced(int group, Rng& rng) {
  const int most = largest();
  for (int g = 0; g < groups_; ++g)
    if (held(g) == held(most)) full_[static_cast<std::size_t>(g)] = 1;
  if (full_[static_cast<std::size_t>(group)] == 0)
    return nth_of(most, static_cast<int>(rng.below(static_cast<std::uint32_t>(held(most)))));
  const std::uint32_t r = rng.below(count(group));
  if (r >= static_cast<std::uint32_t>(held(group))) return -1;
  return nth_of(group, static_cast<int>(r));
}

std::uint32_t ExampleMemory::nth_of(int group, int n) const {
  for (std::uint32_t slot = 0;; ++slot)
    if (this->group(slot) == group && n-- == 0) return slot;
}

int ExampleMemory::largest() const {
  return static_cast<int>(std::ranges::max_element(held_) - held_.begin());
}

void ExampleMemory::draw(int count, Rng rng, std::vector<std::uint32_t>& slots) {
  slots.clear();
  const auto n = static_cast<std::uint32_t>(size());
  const auto k = std::min(static_cast<std::uint32_t>(std::max(0, count)), n);
  if (++draws_ == 0) std::ranges::fill(marks_, 0u), draws_ = 1;
  for (std::uint32_t j = n - k; j < n; ++j) {  // Floyd's: the cost is that of what is drawn
    std::uint32_t slot = rng.below(j + 1);
    if (marks_[slot] == draws_) slot = j;
    marks_[slot] = draws_;
    slots.push_back(slot);
  }
}

void ExampleMemory::draw_before(int experience, int count, Rng rng,
                                std::vector<std::uint32_t>& slots) {
  candidates_.clear();
  for (std::uint32_t slot = 0; slot < static_cast<std::uint32_t>(size()); ++slot)
    if (this->experience(slot) < experience) candidates_.push_back(slot);
  const auto n = static_cast<std::uint32_t>(candidates_.size());
  const auto k = std::min(static_cast<std::uint32_t>(std::max(0, count)), n);
  for (std::uint32_t i = 0; i < k; ++i)
    std::swap(candidates_[i], candidates_[i + rng.below(n - i)]);
  slots.assign(candidates_.begin(), candidates_.begin() + k);
}

void ExampleMemory::slots_of(int experience, std::vector<std::uint32_t>& slots) const {
  slots.clear();
  for (std::uint32_t slot = 0; slot < static_cast<std::uint32_t>(size()); ++slot)
    if (this->experience(slot) == experience) slots.push_back(slot);
}

void ExampleMemory::find_places(const TaskStream& stream, std::span<const std::uint32_t> slots) {
  places_.clear();
  for (const std::uint32_t slot : slots) {
    const auto phase = static_cast<std::size_t>(experience(slot));
    while (begins_.size() <= phase) {
      begins_.push_back(static_cast<std::uint32_t>(examples_.size()));
      examples_.append(stream.experience(static_cast<int>(begins_.size()) - 1).train);
    }
    places_.push_back(begins_[phase] + place(slot));
  }
}

void ExampleMemory::append(const Training& t, std::span<const std::uint32_t> slots, Batch& batch) {
  find_places(*t.stream, slots);
  appender_.append(examples_, places_, *t.targets, t.tasks_seen, batch);
}

void ExampleMemory::gather(const Training& t, std::span<const std::uint32_t> slots, Batch& batch) {
  find_places(*t.stream, slots);
  gather_batch(examples_, places_, *t.targets, t.tasks_seen, batch);
}

Remembered ExampleMemory::remembered(const TaskStream& stream, std::uint32_t slot) {
  find_places(stream, std::span(&slot, 1));
  const std::uint32_t at = places_.front();
  return {experience(slot), place(slot), examples_.task(at), examples_.label(at)};
}

void ExampleMemory::images(const TaskStream& stream, std::span<const std::uint32_t> slots,
                           Signal& to) {
  find_places(stream, slots);
  gather_images(examples_, places_, to);
}

}  // namespace engram
