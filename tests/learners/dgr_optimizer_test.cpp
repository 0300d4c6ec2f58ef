// The optimisers of the generator in deep generative replay are those of one training.
#include <cmath>

#include "learners/vae.h"
#include "tests/learners/replay_bench.h"

namespace engram::testing {
namespace {

TEST(Dgr, MomentsOfWeightsThatRestDecayInEveryStep) {
  constexpr int kHidden = 40;
  auto s = three_tasks();
  Strategy& dgr = s.add("dgr", {{"dgr.hidden", "40"}, {"dgr.codes", "3"}});
  auto t = s.training(0);
  dgr.begin_experience(t);
  // All hidden units of the encoder but the first fall silent, so that the weights away from them
  // have no gradient.
  Vae vae({4, 3, {kHidden}}, Rng(0));
  const ParamStore& encoder = vae.encoder().params();
  const Param& bias = encoder.param(encoder.find("linear1.bias"));
  const Param& away = encoder.param(encoder.find("linear2.weight"));
  ASSERT_EQ(away.rows, kHidden);
  for (int unit = 0; unit < kHidden; ++unit)
    dgr.state()[0][bias.offset + static_cast<std::size_t>(unit)] =
        unit == 0 ? real{10} : real{-1000};
  const auto step = [&](int number) {
    t.step = number;
    Batch batch = s.batch(0);
    dgr.extend_batch(t, batch);
    dgr.after_step(t, batch);
  };
  // The second moments of the encoder, after the weights of four and the first moments.
  const auto moment = [&]() -> real& {
    return dgr.state()[8][away.offset + 7 * static_cast<std::size_t>(away.cols)];
  };
  step(0);
  EXPECT_EQ(moment(), 0);
  moment() = 1;
  for (int number = 1; number <= 4; ++number)
    step(number);
  EXPECT_NEAR(moment(), std::pow(0.999, 4), 1e-5);
}

}  // namespace
}  // namespace engram::testing
