// One options struct and one factory per strategy; learners/registry.cpp is their table.
#pragma once

#include <memory>

#include "learners/strategy.h"

namespace engram {

struct L2Options {
  double lambda = 1;
  template <class V>
  void describe(V&& v) {
    v("l2.lambda", lambda, Range::at_least(0),
      "strength of the pull towards the last task's weights");
  }
};
std::unique_ptr<Strategy> make_l2(const L2Options&, const Network&);  // l2.cpp

}  // namespace engram
