// Gradient episodic memory (GEM; Lopez-Paz & Ranzato 2017, arXiv 1706.08840): a step must not raise
// the loss of any past task on the examples that are remembered of it, to first order. With their
// gradients as the rows of G, where G g has a negative entry the step goes along
//   g + G'v,   v = argmin v'(GG' + eps I)v / 2 + (Gg)'v  under  v >= margin,
// the nearest gradient that offends nobody, and somewhat further with a margin above 0, which helps
// past tasks (the authors call it memory strength). Only then is the margin felt.
// Every past task costs a pass over all that is remembered of it, in every step. g is the gradient
// as it comes from the rule and the strategies before this one.
// The memory is a ring for every task, gem.memory over the number of tasks in each; what the task
// at hand puts there is not used before it is past.
#include <algorithm>

#include "learners/bounded_qp.h"
#include "learners/gradient_of.h"
#include "learners/gradient_products.h"
#include "learners/strategies/replay.h"
#include "utils/kernels.h"

namespace engram {
namespace {

MemoryOptions rings(const GemOptions& o) {
  MemoryOptions memory;
  memory.memory = o.memory, memory.policy = MemoryPolicy::TaskRing, memory.insert = o.insert;
  return memory;
}

class Gem final : public Strategy {
 public:
  Gem(const GemOptions& options, const StrategyContext& context)
      : o_(options), memory_(rings(options), context, "gem") {}

  Provides needs() const override {
    return Provides::Gradient | Provides::OtherBatchesLater | Provides::AtOnce;
  }
  bool needs_borders() const override { return true; }
  bool needs_examples() const override { return true; }
  bool replays() const override { return true; }

  void extend_batch(Training& t, Batch&) override {
    count_ = 0;
    const Rng rng = t.rng.fork("gem", static_cast<std::uint64_t>(t.step));
    for (int e = 0; e < t.phase; ++e) {
      memory_.slots_of(e, slots_);
      if (slots_.empty()) continue;
      memory_.gather(t, slots_, batch_);
      if (gradients_.size() == count_) gradients_.emplace_back();
      gradient_of(t, batch_, rng.fork("task", static_cast<std::uint64_t>(e)), gradients_[count_++]);
    }
  }
  void shape_gradient(Training& t) override {
    const std::size_t n = count_;
    const auto g = t.net.params().grads();
    std::vector<double> along(n);
    for (std::size_t i = 0; i < n; ++i)
      along[i] = inner_product(gradients_[i], g);
    if (std::ranges::all_of(along, [](double a) { return a >= 0; })) return;
    std::vector<double> products(n * n);
    for (std::size_t i = 0; i < n; ++i)
      for (std::size_t j = 0; j <= i; ++j)
        products[i * n + j] = products[j * n + i] = inner_product(gradients_[i], gradients_[j]);
    for (std::size_t i = 0; i < n; ++i)
      products[i * n + i] += o_.ridge;
    const auto v = solve_bounded_qp(products, along, o_.margin);
    for (std::size_t i = 0; i < n; ++i)
      if (v[i] != 0) kernels::axpy(static_cast<real>(v[i]), gradients_[i], g.data());
  }
  void after_step(Training& t, const Batch& batch) override {
    memory_.take_batch(t, batch,
                       t.rng.fork("gem").fork("step", static_cast<std::uint64_t>(t.step)));
  }
  void end_experience(Training& t) override {
    const auto task = static_cast<std::uint64_t>(t.phase);
    memory_.take_task(t, t.rng.fork("gem").fork("task", task));
  }
  std::vector<std::span<real>> state() override { return memory_.state(); }

 private:
  GemOptions o_;
  ExampleMemory memory_;
  std::vector<std::uint32_t> slots_;
  Batch batch_;
  std::vector<std::vector<real>> gradients_;  ///< of `count_` past tasks, [weights] each
  std::size_t count_ = 0;
};

}  // namespace

std::unique_ptr<Strategy> make_gem(const GemOptions& options, const StrategyContext& context) {
  return std::make_unique<Gem>(options, context);
}

}  // namespace engram
