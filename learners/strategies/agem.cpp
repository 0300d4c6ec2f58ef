// Averaged gradient episodic memory (A-GEM; Chaudhry et al. 2019, arXiv 1812.00420): a step must
// not raise the mean loss of a few examples of the past, to first order. With g_ref the gradient of
// a draw from the memory,
//   g <- g - (g'g_ref / g_ref'g_ref) g_ref   where g'g_ref < 0,  else g stays.
// g is the gradient as it comes from the rule and the strategies before this one.
// The paper keeps as many examples of each task (agem.policy = task_ring, agem.insert = task_end,
// agem.memory = tasks times examples); with reservoir and step the memory holds the task at hand,
// too (A-GEM-R).
// Pitfalls: a code that keeps one mini-batch per task whatever its buffer size is not this; the
// paper has task descriptors, and under one head in class-incremental streams A-GEM does little. In
// layers with running statistics the draw moves them, as every training pass does.
#include "learners/gradient_of.h"
#include "learners/gradient_products.h"
#include "learners/strategies/replay.h"
#include "utils/kernels.h"

namespace engram {
namespace {

class Agem final : public Strategy {
 public:
  Agem(const AgemOptions& options, const StrategyContext& context)
      : o_(options), memory_(options.memory, context, "agem") {}

  Provides needs() const override {
    // Nothing is remembered in the first task if a task is remembered when it ends.
    const bool later = o_.memory.insert == InsertAt::TaskEnd;
    return Provides::Gradient | Provides::AtOnce |
           (later ? Provides::OtherBatchesLater : Provides::OtherBatches);
  }
  bool needs_borders() const override { return memory_.needs_borders(); }
  bool needs_examples() const override { return true; }
  bool replays() const override { return true; }

  void extend_batch(Training& t, Batch&) override {
    reference_.clear();
    if (memory_.size() == 0) return;
    const Rng rng = rng_of(t);
    memory_.draw(o_.batch, rng.fork("draw"), slots_);
    memory_.gather(t, slots_, past_);
    gradient_of(t, past_, rng.fork("pass"), reference_);
    length_ = inner_product(reference_, reference_);
  }
  void shape_gradient(Training& t) override {
    if (reference_.empty() || length_ <= 0) return;
    const auto g = t.net.params().grads();
    const double along = inner_product(g, reference_);
    if (along < 0) kernels::axpy(static_cast<real>(-along / length_), reference_, g.data());
  }
  void after_step(Training& t, const Batch& batch) override {
    memory_.take_batch(t, batch, rng_of(t));
  }
  void end_experience(Training& t) override {
    const auto task = static_cast<std::uint64_t>(t.phase);
    memory_.take_task(t, t.rng.fork("agem").fork("task", task));
  }
  std::vector<std::span<real>> state() override { return memory_.state(); }

 private:
  static Rng rng_of(const Training& t) {
    return t.rng.fork("agem", static_cast<std::uint64_t>(t.step));
  }

  AgemOptions o_;
  ExampleMemory memory_;
  std::vector<std::uint32_t> slots_;
  Batch past_;
  std::vector<real> reference_;  ///< g_ref [weights]; empty: nothing to protect yet
  double length_ = 0;            ///< its square
};

}  // namespace

std::unique_ptr<Strategy> make_agem(const AgemOptions& options, const StrategyContext& context) {
  return std::make_unique<Agem>(options, context);
}

}  // namespace engram
