#include "learners/head_in_test.h"

#include <algorithm>

#include <fmt/format.h>

#include "models/synaptic.h"
#include "utils/error.h"

namespace engram {

HeadInTest::HeadInTest(const Network& net, std::string_view strategy) {
  const auto matrices = net.layer(net.depth() - 1).synapses();
  const bool one = matrices.size() == 1 && !matrices.front()->is_convolution() &&
                   matrices.front()->bias_part().present();
  if (!one)
    throw Error(Fault::Config,
                fmt::format("{} classifies in place of one fully connected classifier with a bias; "
                            "with a head for every task use head = shared or masked",
                            strategy));
  weight_ = matrices.front()->weight_id();
  features_ = net.params().param(weight_).rows, outputs_ = net.params().param(weight_).cols;
}

Mat HeadInTest::bias_of(Network& net) {
  return net.layer(net.depth() - 1).synapses().front()->bias_part().mutable_value();
}

CMat HeadInTest::features_of(const Network& net, const Signal& x, std::span<const int> tasks,
                             Tape& tape) const {
  net.evaluate(x, tape, {.tasks = tasks}, net.depth() - 1);
  return input_of(net, net.depth() - 1, x, tape).value();
}

void HeadInTest::put(Network& net, std::span<const real> weights, std::span<const real> biases) {
  const Mat w = net.params().value(weight_), b = bias_of(net);
  ENGRAM_INVARIANT(!in_ && weights.size() == w.size() && biases.size() == b.size());
  weights_.assign(w.data, w.data + w.size()), biases_.assign(b.data, b.data + b.size());
  std::ranges::copy(weights, w.data), std::ranges::copy(biases, b.data);
  in_ = true;
}

void HeadInTest::take_back(Network& net) {
  if (!in_) return;
  std::ranges::copy(weights_, net.params().value(weight_).data);
  std::ranges::copy(biases_, bias_of(net).data);
  in_ = false;
}

}  // namespace engram
