// How a forward-forward network starts.
#include <gtest/gtest.h>

#include "models/circuits/circuits.h"
#include "models/circuits/ff.h"
#include "tests/learners/parameters_of.h"

namespace engram {
namespace {

using testing::matrix_of;

constexpr int kLabels = 4;

TEST(FfInit, DrawsWeightsOfTheirFanInAndLeavesTheRestAtRest) {
  ModelOptions model;
  model.hidden = {400, 300};
  Network net({1, 1, 100}, ff_layers(model, {1, kLabels}), Rng(5));
  const ParamStore& store = net.params();
  int inputs = 100;
  for (const auto& [name, width] : {std::pair{"ff1.W1", 400}, std::pair{"ff1.W2", 300}}) {
    double squares = 0;
    const CMat w = store.value(store.find(name));
    for (const double v : w.all())
      squares += v * v / static_cast<double>(w.size());
    EXPECT_NEAR(squares * inputs, 1, 0.03) << name;  // six deviations of 40 000 squares
    inputs = width;
  }
  for (const char* name : {"ff1.b1", "ff1.b2", "ff1.head2"})
    for (const double v : store.value(store.find(name)).all())
      EXPECT_EQ(v, 0) << name;
  EXPECT_LT(store.find("ff1.head1"), 0);
  for (const double v : matrix_of(find_layer<Ff>(net)->mean_activity(1)).v)
    EXPECT_EQ(v, 0.5);
}

}  // namespace
}  // namespace engram
