// Strategies that change which weights exist while a network learns: the number of weights stays,
// some are taken away and as many begin elsewhere. What they share: when, how many, which are free,
// and telling everybody that keeps something for a weight. Strategies differ in what a weight is
// worth and in where new ones begin.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "learners/strategy.h"
#include "models/sparse_synapses.h"

namespace engram {

class Rewiring : public Strategy {
 public:
  using Edge = SparseSynapses::Edge;

  explicit Rewiring(const StrategyContext&);

  /// When synapses move, and how many, is counted from the beginning of a task.
  bool needs_borders() const override { return true; }
  bool needs_examples() const override { return false; }
  bool follows_steps() const override { return true; }
  void begin_experience(Training& t) override { note_task(t); }
  void after_step(Training& t, const Batch& batch) override;

 protected:
  /// One layer while it is rewired.
  struct Site {
    int layer = 0;  ///< in the network
    SparseSynapses& synapses;
    std::size_t offset;      ///< of its weights among all
    std::span<real> weight;  ///< [entries]
    Rng rng;

    int inputs() const { return synapses.fans().in; }
    int outputs() const { return synapses.fans().outputs; }
    bool taken(Edge e) const { return (taken_[word(e)] >> bit(e) & 1) != 0; }
    void take(Edge e) { taken_[word(e)] |= std::uint64_t{1} << bit(e); }
    void free(Edge e) { taken_[word(e)] &= ~(std::uint64_t{1} << bit(e)); }

    std::vector<std::uint64_t> taken_;  ///< a bit for every pair of an output and an input

   private:
    std::size_t at(Edge e) const {
      return static_cast<std::size_t>(e.output) * static_cast<std::size_t>(inputs()) +
             static_cast<std::size_t>(e.input);
    }
    std::size_t word(Edge e) const { return at(e) / 64; }
    std::size_t bit(Edge e) const { return at(e) % 64; }
  };

  virtual void note_task(Training&) {}
  /// Share of a layer's weights to be moved after this step; 0: none.
  virtual double share(const Training&) const = 0;
  /// What the weights of a layer are worth: the least are taken away. Infinity: stays. |w| unless
  /// overridden.
  virtual void worth(Training&, const Site&, std::span<double> of);
  /// Before the sites of a step are visited: a look at the batch.
  virtual void look(Training&, const Batch&) {}
  /// Up to `count` edges that are not taken, and takes them. `gone`: those that are about to be
  /// taken away; they still count as taken.
  virtual void grow(Training&, const Batch&, Site&, std::span<const Edge> gone, std::size_t count,
                    std::vector<Edge>& to) = 0;
  /// The weight of a new synapse.
  virtual real first_value(Site&) { return 0; }
  /// These weights of a layer are new.
  virtual void moved(Training&, const Site&, std::span<const std::uint32_t> /*slots*/) {}

  /// `count` edges that are not taken, each as likely as any other.
  static void grow_at_random(Site&, std::size_t count, std::vector<Edge>& to);
  /// Half a cosine over the first `until` of the task's steps, from `highest` to 0, every `every`
  /// steps; 0 in between and after.
  static double cosine_share(const Training&, int every, double highest, double until);

  /// How strategies look at what the step of a batch saw: layers that stand still do so.
  Pass look_pass(const Training& t, const Batch& batch) const {
    return {.training = true,
            .rng = t.rng.fork(name).fork("pass", static_cast<std::uint64_t>(t.step)),
            .tasks = batch.task,
            .still = t.still};
  }

 private:
  void rewire(Training&, const Batch&, int layer, double share);

  std::vector<int> layers_;
};

}  // namespace engram
