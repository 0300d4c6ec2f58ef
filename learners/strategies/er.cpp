// Experience replay (ER; Chaudhry et al. 2019, arXiv 1902.10486): examples of the past come back
// into every batch,
//   L = mean of the loss over B and B_M together (joint_mean), L_B / 2 + L_M / 2 (half), or
//   L_B / k + (1 - 1/k) L_M with k tasks met (by_tasks: van de Ven & Tolias 2018).
// A batch is remembered after its step, so nothing is replayed in the step that learns it.
// Pitfalls: over several epochs an example is to count once, or a reservoir holds some of them
// twice and too many of the task at hand (er.every_epoch = yes does so, as Mammoth); under the
// joint mean the past weighs |B_M| / (|B| + |B_M|), so er.batch is a weight too; and policies
// differ by points, so er.policy is to be reported.
#include "learners/row_weights.h"
#include "learners/strategies/replay.h"

namespace engram {
namespace {

class Er final : public Strategy {
 public:
  Er(const ErOptions& options, const StrategyContext& context)
      : o_(options), memory_(options.memory, context, "er") {}

  Provides needs() const override {
    return o_.loss == ReplayLoss::JointMean ? Provides::Nothing : Provides::OutputError;
  }
  bool needs_borders() const override {
    return memory_.needs_borders() || o_.loss == ReplayLoss::ByTasks;
  }
  bool needs_examples() const override { return true; }
  bool replays() const override { return true; }

  void extend_batch(Training& t, Batch& batch) override {
    first_ = batch.rows();
    memory_.draw(o_.batch > 0 ? o_.batch : batch.own_rows(), rng_of(t).fork("draw"), slots_);
    memory_.append(t, slots_, batch);
    count_ = static_cast<int>(slots_.size());
  }

  void shape_error(Training& t, const Batch& batch, CMat, Mat error) override {
    if (o_.loss == ReplayLoss::JointMean || count_ == 0) return;
    const double present = o_.loss == ReplayLoss::Half ? 0.5 : 1.0 / t.tasks_seen;
    weigh_rows(batch, 0, batch.own_rows(), present, error);
    weigh_rows(batch, first_, count_, 1 - present, error);
  }

  void after_step(Training& t, const Batch& batch) override {
    memory_.take_batch(t, batch, rng_of(t));
  }
  void end_experience(Training& t) override {
    const auto task = static_cast<std::uint64_t>(t.phase);
    memory_.take_task(t, t.rng.fork("er").fork("task", task));
  }

  std::vector<std::span<real>> state() override { return memory_.state(); }

 private:
  static Rng rng_of(const Training& t) {
    return t.rng.fork("er", static_cast<std::uint64_t>(t.step));
  }

  ErOptions o_;
  ExampleMemory memory_;
  std::vector<std::uint32_t> slots_;
  int first_ = 0, count_ = 0;  ///< rows of this batch that are replayed
};

}  // namespace

std::unique_ptr<Strategy> make_er(const ErOptions& options, const StrategyContext& context) {
  return std::make_unique<Er>(options, context);
}

}  // namespace engram
