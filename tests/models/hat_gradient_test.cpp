// Gates between 0 and 1: the gradient of weights below and above them, and that of the gates
// themselves as it can be read off the weights above, against central differences in double
// precision.
#include <cmath>

#include <gtest/gtest.h>

#include "learners/loss.h"
#include "learners/rules/rules.h"
#include "models/gatings/hat.h"
#include "tests/models/harness.h"

namespace engram {
namespace {

using testing::random_batch;
using testing::stack;

static_assert(sizeof(real) == 8, "gradients are checked in double precision");
constexpr int kTasks = 3;
constexpr double kScale = 1.7;

struct Attentive {
  Attentive() {
    GatingOptions options;
    options.gating = "hat";
    auto own = make_gating(options, kTasks);
    gating = dynamic_cast<HatGating*>(own.get());
    net = std::make_unique<Network>(ImageShape{1, 1, 6},
                                    stack(linear(9), relu(), linear(7), relu(), linear(4)), Rng(3),
                                    1, FeedbackPlan{}, std::move(own));
    gating->set_scale(kScale);
  }
  double loss(const Batch& batch) const {
    Tape tape;
    Signal error;
    std::as_const(*net).evaluate(batch.x, tape, {.training = true, .tasks = batch.task});
    return cross_entropy(tape.back().out, batch, error).loss;
  }
  double difference(const Batch& batch, std::size_t place) {
    real& w = net->params().values()[place];
    const real keep = w;
    constexpr double kStep = 1e-6;
    w = keep + kStep;
    const double up = loss(batch);
    w = keep - kStep;
    const double down = loss(batch);
    w = keep;
    return (up - down) / (2 * kStep);
  }
  HatGating* gating;
  std::unique_ptr<Network> net;
};

TEST(HatGradient, OfWeightsAroundSoftGates) {
  Attentive a;
  const Batch batch = random_batch(10, 6, 4, kTasks);
  ParamStore& params = a.net->params();
  make_backprop({}, {})->learn(*a.net, batch, {.training = true, .tasks = batch.task}, {});
  const std::vector<real> g(params.grads().begin(), params.grads().end());
  double largest = 0;
  for (std::size_t i = 0; i < params.param(a.gating->embedding(0)).offset; ++i) {
    EXPECT_NEAR(g[i], a.difference(batch, i), 1e-8) << i;
    largest = std::max(largest, std::abs(g[i]));
  }
  EXPECT_GT(largest, 0.01);
}

TEST(HatGradient, OfGatesIsReadOffTheWeightsAbove) {
  Attentive a;
  Batch batch = random_batch(10, 6, 4, kTasks);
  constexpr int kTask = 1;
  std::ranges::fill(batch.task, kTask);
  ParamStore& params = a.net->params();
  make_backprop({}, {})->learn(*a.net, batch, {.training = true, .tasks = batch.task}, {});
  const std::vector<real> g(params.grads().begin(), params.grads().end());
  double largest = 0;
  for (const std::size_t level : {0U, 1U}) {
    const int above = params.find(level == 0 ? "linear2.weight" : "linear3.weight");
    const Param& w = params.param(above);
    const Param& e = params.param(a.gating->embedding(level));
    for (int i = 0; i < w.rows; ++i) {
      double sum = 0;
      for (int k = 0; k < w.cols; ++k) {
        const std::size_t place = w.offset + static_cast<std::size_t>(i * w.cols + k);
        sum += params.values()[place] * g[place];
      }
      const std::size_t place = e.offset + static_cast<std::size_t>(kTask * e.cols + i);
      const double open = 1 / (1 + std::exp(-kScale * params.values()[place]));
      EXPECT_NEAR(kScale * (1 - open) * sum, a.difference(batch, place), 1e-8);
      largest = std::max(largest, std::abs(sum));
    }
  }
  EXPECT_GT(largest, 0.01);
}

}  // namespace
}  // namespace engram
