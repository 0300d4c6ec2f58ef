// A run that is stopped after some steps and goes on in another process, as far as tests need it.
#pragma once

#include <algorithm>
#include <span>
#include <vector>

#include <gtest/gtest.h>

#include "tests/learners/strategy_bench.h"

namespace engram::testing {

/// Stops after so many steps.
class Stopper final : public Observer {
 public:
  explicit Stopper(int steps) : left_(steps) {}
  void after_step(const Cursor&, const BatchStats&, int, std::int64_t, int) override { --left_; }
  bool stop_requested() override { return left_ == 0; }

 private:
  int left_;
};

inline void carry(const std::vector<std::span<real>>& from,
                  const std::vector<std::span<real>>& to) {
  ASSERT_EQ(from.size(), to.size());
  for (std::size_t i = 0; i < from.size(); ++i) {
    ASSERT_EQ(from[i].size(), to[i].size());
    std::ranges::copy(from[i], to[i].begin());
  }
}

/// What a checkpoint carries from one run to another.
inline void carry(StrategyBench& from, StrategyBench& to) {
  carry({from.net->params().values()}, {to.net->params().values()});
  carry({from.net->params().states()}, {to.net->params().states()});
  carry(from.optimizer->state(), to.optimizer->state());
  to.optimizer->set_steps(from.optimizer->steps());
  to.optimizer->set_taken(from.optimizer->taken());
  for (std::size_t i = 0; i < from.strategies.size(); ++i)
    carry(from.strategies[i]->state(), to.strategies[i]->state());
}

}  // namespace engram::testing
