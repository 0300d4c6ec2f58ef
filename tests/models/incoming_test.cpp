// Layer::incoming() against what units answer to inputs of which one alone is 1.
#include <gtest/gtest.h>

#include "models/circuits/ff.h"
#include "models/circuits/pff.h"
#include "tests/models/harness.h"

namespace engram {
namespace {

using testing::stack;

Network network(ImageShape in, LayerPtr layer) {
  return Network(in, stack(std::move(layer)), Rng(3));
}
Synapses synapses(double density, WeightStorage storage) {
  Synapses s;
  s.density = density, s.storage = storage;
  return s;
}
/// Answers [inputs + 1, outputs] to every input alone, and to none.
CMat answers(const Network& net, Tape& tape) {
  Signal x;
  const int n = net.in().size();
  const Mat ones = x.resize(n + 1, n);
  std::fill_n(ones.data, ones.size(), real{0});
  for (int i = 0; i < n; ++i)
    ones.row(i)[i] = 1;
  net.evaluate(x, tape, {});
  return std::as_const(tape.back().out).value();
}

TEST(Incoming, IsWhatAUnitAnswersToOneInput) {
  for (const double density : {1.0, 0.4})
    for (const WeightStorage storage : {WeightStorage::Dense, WeightStorage::Sparse}) {
      const Network net = network({1, 1, 10}, linear(6, synapses(density, storage)));
      Tape tape;
      const CMat y = answers(net, tape);
      Signal w;
      net.layer(0).incoming(w);
      ASSERT_EQ(w.rows(), 6);
      ASSERT_EQ(w.cols(), 10);
      int absent = 0;
      for (int unit = 0; unit < 6; ++unit)
        for (int i = 0; i < 10; ++i) {
          const real weight = std::as_const(w).value().row(unit)[i];
          EXPECT_NEAR(weight, y.row(i)[unit] - y.row(10)[unit], 1e-6);
          absent += weight == 0;
        }
      EXPECT_EQ(absent, density < 1 ? 36 : 0);  // 4 of 10 exist
    }
}

TEST(Incoming, OfAConvolutionIsItsKernelByRowColumnAndChannel) {
  constexpr int kSide = 5, kKernel = 3, kChannels = 3;
  for (const WeightStorage storage : {WeightStorage::Dense, WeightStorage::Sparse}) {
    const double density = storage == WeightStorage::Sparse ? 0.5 : 1;
    const Network net =
        network({kSide, kSide, kChannels}, conv2d(4, kKernel, 1, 0, synapses(density, storage)));
    Tape tape;
    const CMat y = answers(net, tape);
    Signal w;
    net.layer(0).incoming(w);
    ASSERT_EQ(w.rows(), 4);
    ASSERT_EQ(w.cols(), kKernel * kKernel * kChannels);
    // The place (1, 1) of the output reads the pixels (1..3, 1..3).
    const int place = (1 * (kSide - kKernel + 1) + 1) * 4;
    for (int unit = 0; unit < 4; ++unit)
      for (int ky = 0; ky < kKernel; ++ky)
        for (int kx = 0; kx < kKernel; ++kx)
          for (int c = 0; c < kChannels; ++c) {
            const int pixel = ((1 + ky) * kSide + 1 + kx) * kChannels + c;
            const real answer = y.row(pixel)[place + unit] - y.row(y.rows - 1)[place + unit];
            EXPECT_NEAR(std::as_const(w).value().row(unit)[(ky * kKernel + kx) * kChannels + c],
                        answer, 1e-6);
          }
  }
}

TEST(Incoming, OfLayersWithoutWeightsIsEmpty) {
  const Network net = network({4, 4, 1}, relu());
  Signal w;
  net.layer(0).incoming(w);
  EXPECT_EQ(w.rows(), 0);
}

TEST(Incoming, OfForwardForwardNetworksIsWhatTheFirstLevelReadsOfTheImage) {
  FfOptions options;
  options.label = LabelPlace::Append;
  std::vector<LayerPtr> layers;
  layers.push_back(std::make_unique<Ff>(options, std::vector<int>{7, 5}, 3));
  const Network ff({2, 3, 1}, std::move(layers), Rng(3));
  Signal w;
  ff.layer(0).incoming(w);
  ASSERT_EQ(w.rows(), 7);
  ASSERT_EQ(w.cols(), 6);  // without the labels
  const CMat first = ff.params().value(dynamic_cast<const Ff&>(ff.layer(0)).weight_id(0));
  for (int unit = 0; unit < 7; ++unit)
    for (int i = 0; i < 6; ++i)
      EXPECT_EQ(std::as_const(w).value().row(unit)[i], first.row(i)[unit]);

  PffOptions predictive;
  std::vector<LayerPtr> circuit;
  circuit.push_back(std::make_unique<Pff>(predictive, 20, 3));
  const Network pff({2, 3, 1}, std::move(circuit), Rng(3));
  pff.layer(0).incoming(w);
  const CMat w1 = dynamic_cast<const Pff&>(pff.layer(0)).weight(Pff::W1);
  ASSERT_EQ(w.rows(), 20);
  for (int unit = 0; unit < 20; ++unit)
    for (int i = 0; i < 6; ++i)
      EXPECT_EQ(std::as_const(w).value().row(unit)[i], w1.row(i)[unit]);
}

}  // namespace
}  // namespace engram
