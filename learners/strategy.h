// A strategy protects old knowledge: it may extend a batch, edit the error at the outputs or the
// gradient, and watch the steps. It never fills a gradient itself nor steps. Strategies compose in
// the order of the cfg.
#pragma once

#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "benchmarks/stream.h"
#include "learners/batch.h"
#include "learners/rule.h"
#include "models/network.h"
#include "utils/config.h"

namespace engram {

/// What strategies may see of the training.
struct Training {
  Network& net;
  const Experience* experience = nullptr;
  int epoch = 0;
  std::int64_t step = 0;                 ///< of the whole run
  Rng rng{0};                            ///< fork it by the strategy's own name
  std::span<const std::uint8_t> seen{};  ///< outputs that compete at test so far; empty: all
};

class Strategy {
 public:
  virtual ~Strategy() = default;
  virtual Provides needs() const { return Provides::Nothing; }
  virtual void begin_experience(Training&) {}
  virtual void extend_batch(Training&, Batch&) {}                      ///< replay
  virtual void shape_error(Training&, const Batch&, Mat /*error*/) {}  ///< distillation
  /// Edits net.params().grads(), which makes every gradient dense.
  virtual void shape_gradient(Training&) {}
  virtual void after_step(Training&) {}
  virtual void end_experience(Training&) {}
  /// Everything that a resumed run needs; sized before the first begin_experience.
  virtual std::vector<std::span<real>> state() { return {}; }
};

/// The table of strategies.
struct StrategyEntry {
  std::string_view name, summary, paper;
  std::unique_ptr<Strategy> (*make)(Config&, const Network&);
  std::vector<OptionInfo> (*options)();
  void (*read)(Config&);  ///< checks the options and marks them as used
};
std::span<const StrategyEntry> strategies();

}  // namespace engram
