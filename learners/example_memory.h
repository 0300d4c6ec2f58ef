// Examples of a stream that strategies remember: which ones, and how they come back into batches.
// An example is remembered as its place in the stream and gathered from there when it is replayed,
// so it comes back exactly, with its active set, and costs three numbers. Memory is nevertheless
// counted in images, as the field does.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "learners/gather_batch.h"
#include "learners/strategy.h"
#include "utils/options.h"

namespace engram {

/// Who stays when the memory is full. A class is a label, or a label of a task where tasks share
/// labels (permuted, rotated).
enum class MemoryPolicy {
  Reservoir,      ///< every example that ever came has the same chance (Vitter 1985)
  ClassBalanced,  ///< classes alike, a reservoir within each (Chrysakis & Moens 2020)
  TaskBalanced,   ///< the same with tasks in the place of classes
  Greedy,         ///< classes alike, the first of each stay (Prabhu et al. 2020)
  ClassRing,      ///< the newest of every class, in an equal part of the memory for each
  TaskRing        ///< the newest of every task (Lopez-Paz & Ranzato 2017)
};
template <>
struct Choices<MemoryPolicy> {
  static constexpr std::array<std::string_view, 6> names{
      "reservoir", "class_balanced", "task_balanced", "greedy", "class_ring", "task_ring"};
};
enum class InsertAt { Step, TaskEnd };
template <>
struct Choices<InsertAt> {
  static constexpr std::array<std::string_view, 2> names{"step", "task_end"};
};

struct MemoryOptions {
  int memory = 1000;
  MemoryPolicy policy = MemoryPolicy::Reservoir;
  InsertAt insert = InsertAt::Step;
  bool every_epoch = false;

  /// `of`: the strategy, whose name begins the keys.
  template <class V>
  void describe(V&& v, const std::string& of) {
    v(of + ".memory", memory, Range::at_least(1).at_most(1 << 24),
      "examples that are remembered, all tasks together");
    v(of + ".policy", policy,
      "who stays: all alike (reservoir), as many of each class or task with a reservoir within "
      "(class_balanced, task_balanced), the first of each class (greedy), or the newest in an "
      "equal part for each class or task of the stream (class_ring, task_ring)");
    v(of + ".insert", insert,
      "step: after each step what was learnt in it; task_end: the examples of a task in any order "
      "once it is learnt, so that the task at hand is not replayed");
    v(of + ".every_epoch", every_epoch,
      "insert = step: an example counts once per epoch, as in Mammoth, and may be remembered "
      "twice; no: once");
  }
};

/// An example of a stream.
struct Remembered {
  int experience = 0;       ///< the training phase
  std::uint32_t place = 0;  ///< in its training set
  int task = 0, label = 0;  ///< as the data set has it
};

class ExampleMemory {
 public:
  /// Room for `o.memory` examples, each with `beside` numbers. Error(Config) when a ring has not
  /// one place for every class or task; `name` is the strategy. Without a stream it stays empty.
  ExampleMemory(const MemoryOptions& o, const StrategyContext&, const std::string& name,
                int beside = 0);

  int size() const { return static_cast<int>(filled_[0]); }
  int capacity() const { return o_.memory; }
  /// That somebody says when a task ends, or which one an example is of.
  bool needs_borders() const;

  /// In after_step(): the stream's own rows of a batch, with numbers for each [own rows][beside].
  /// They count once, however often the rule learns the batch and however many epochs there are: in
  /// the first one, or with numbers in the first that has labels.
  void take_batch(const Training&, const Batch&, const Rng&, std::span<const real> beside = {});
  /// In end_experience(): the task's examples, in the order of `rng`; only if that is the time.
  void take_task(const Training&, Rng rng);
  void take(const Remembered&, Rng& rng, std::span<const real> beside = {});
  /// Forgets everything and remembers these, slot by slot, for those who choose themselves.
  void keep(std::span<const Remembered>);

  /// slots <- `count` different ones that are taken, drawn evenly, or all if there are fewer.
  void draw(int count, Rng rng, std::vector<std::uint32_t>& slots);
  /// The same from those of training phases before `experience`.
  void draw_before(int experience, int count, Rng rng, std::vector<std::uint32_t>& slots);
  /// slots <- those taken by a training phase, ascending.
  void slots_of(int experience, std::vector<std::uint32_t>& slots) const;

  /// Rows behind those of a batch <- what is remembered in these slots.
  void append(const Training&, std::span<const std::uint32_t> slots, Batch&);
  /// The rows of a batch <- what is remembered in these slots.
  void gather(const Training&, std::span<const std::uint32_t> slots, Batch&);
  /// What is remembered in a slot.
  Remembered remembered(const TaskStream&, std::uint32_t slot);
  /// The images alone, [slots, pixels].
  void images(const TaskStream&, std::span<const std::uint32_t> slots, Signal&);

  int experience(std::uint32_t slot) const { return static_cast<int>(slots_[3 * slot]); }
  std::uint32_t place(std::uint32_t slot) const {
    return static_cast<std::uint32_t>(slots_[3 * slot + 1]);
  }
  /// Place of its class or task in the order in which the stream names them.
  int group(std::uint32_t slot) const { return static_cast<int>(slots_[3 * slot + 2]); }
  std::span<const real> beside(std::uint32_t slot) const {
    const auto n = static_cast<std::size_t>(beside_width_);
    return std::span(beside_).subspan(slot * n, n);
  }
  int groups() const { return groups_; }
  int held(int group) const { return static_cast<int>(held_[static_cast<std::size_t>(group)]); }

  std::vector<std::span<real>> state() { return {filled_, slots_, beside_, held_, full_, seen_}; }

 private:
  bool by_task() const {
    return o_.policy == MemoryPolicy::TaskBalanced || o_.policy == MemoryPolicy::TaskRing;
  }
  void find_groups(const TaskStream&);
  /// Where an example of a group goes, or -1: it does not stay.
  std::int64_t slot_for(int group, Rng& rng);
  std::int64_t slot_for_balanced(int group, Rng& rng);
  /// The n-th slot of a group.
  std::uint32_t nth_of(int group, int n) const;
  int largest() const;
  void write(std::size_t slot, const Remembered&, int group);
  int group_of(const Remembered&) const;
  void find_places(const TaskStream&, std::span<const std::uint32_t> slots);

  // Counts reach beyond what a float can: two numbers each, in units of 2^24 and of 1.
  std::uint32_t count(int i) const;
  void increment(int i);

  MemoryOptions o_;
  int beside_width_;
  int groups_ = 1;
  std::vector<std::int32_t> group_of_;  ///< [tasks][labels]
  int labels_ = 0;
  bool tasks_share_labels_ = false;
  std::int64_t last_step_ = -1;

  std::vector<real> filled_ = {0};
  std::vector<real> slots_;   ///< [capacity][experience, place, group]
  std::vector<real> beside_;  ///< [capacity][beside]
  std::vector<real> held_;    ///< [groups]: slots
  std::vector<real> full_;    ///< [groups]: 1 once it was the largest of a full memory
  std::vector<real> seen_;    ///< [groups + 1][2]: examples that came; all together last

  ExampleSet examples_;                ///< the training sets of the first phases, end to end
  std::vector<std::uint32_t> begins_;  ///< where each begins in it
  std::vector<std::uint32_t> places_;
  std::vector<std::uint32_t> marks_;  ///< [capacity]: the draw that took a slot last
  std::uint32_t draws_ = 0;
  std::vector<std::uint32_t> candidates_;
  BatchAppender appender_;
};

}  // namespace engram
