// Strategies that give every task its own part of the network, or of its classifier.
#pragma once

#include <memory>
#include <optional>

#include "learners/strategy.h"

namespace engram {

std::unique_ptr<Strategy> make_xdg_strategy(const NoOptions&, const StrategyContext&);  // xdg.cpp

struct HatOptions {
  double smax = 400, lambda = 0.75;
  template <class V>
  void describe(V&& v) {
    v("hat.smax", smax, Range::at_least(1),
      "steepest that attention becomes, at the end of every epoch and at test");
    v("hat.lambda", lambda, Range::at_least(0),
      "strength of the pull that keeps attention to units that no task has used low");
  }
};
std::unique_ptr<Strategy> make_hat(const HatOptions&, const StrategyContext&);

struct PacknetOptions {
  std::optional<double> prune;
  double retrain_share = 1. / 3;
  template <class V>
  void describe(V&& v) {
    v("packnet.prune", prune, Range::fraction().below(1),
      "share of a task's free weights of every layer, the smallest, that go back to be free for "
      "later tasks (auto: as many as leave every task of the stream the same number)");
    v("packnet.retrain_share", retrain_share, Range::fraction().below(1),
      "share of a task's steps, the last ones, in which what survives learns on");
  }
};
std::unique_ptr<Strategy> make_packnet(const PacknetOptions&, const StrategyContext&);

struct CwrStarOptions {
  bool freeze_body = true;
  template <class V>
  void describe(V&& v) {
    v("cwr_star.freeze_body", freeze_body,
      "all but the classifier learns the first task alone, as CWR* does; no: goes on, as in AR1");
  }
};
std::unique_ptr<Strategy> make_cwr_star(const CwrStarOptions&, const StrategyContext&);

}  // namespace engram
