// Small networks and random batches for the tests of layers, models and rules.
#pragma once

#include <algorithm>
#include <memory>
#include <vector>

#include "learners/batch.h"
#include "models/layers.h"
#include "models/network.h"

namespace engram::testing {

template <class... Layers>
std::vector<LayerPtr> stack(Layers... layers) {
  std::vector<LayerPtr> all;
  (all.push_back(std::move(layers)), ...);
  return all;
}

/// Standard normal inputs, random targets below `outputs`, tasks cycling below `tasks`.
inline Batch random_batch(int rows, int inputs, int outputs, int tasks = 1,
                          std::uint64_t seed = 5) {
  Batch batch;
  Rng rng(seed);
  const Mat x = batch.x.resize(rows, inputs);
  for (real& v : x.all())
    v = static_cast<real>(rng.normal());
  for (int i = 0; i < rows; ++i) {
    batch.target.push_back(static_cast<int>(rng.below(static_cast<std::uint32_t>(outputs))));
    batch.task.push_back(i % tasks);
  }
  return batch;
}

inline Signal signal(int rows, int cols, std::vector<real> values) {
  Signal s;
  const Mat m = s.resize(rows, cols);
  std::copy(values.begin(), values.end(), m.data);
  return s;
}

/// One layer on its own.
struct Alone {
  Alone(LayerPtr l, ImageShape in, std::uint64_t seed = 3)
      : net(in, stack(std::move(l)), Rng(seed)) {}
  Layer& layer() { return net.layer(0); }
  const Signal& forward(const Signal& x, bool training) {
    net.forward(x, tape, {.training = training, .rng = Rng(9), .tasks = {}});
    return tape[0].out;
  }
  Network net;
  Tape tape;
};

/// Passes signals on without their active sets, so that what follows skips nothing.
class Opaque final : public Layer {
 public:
  std::string kind() const override { return "opaque"; }
  std::string describe() const override { return "hides active sets"; }
  ImageShape bind(ImageShape in, const Place&, ParamStore&) override { return in; }
  Macs forward(const Signal& x, Record& y, const Pass&) const override {
    std::copy_n(x.value().data, x.value().size(), y.out.resize(x.rows(), x.cols()).data);
    return {};
  }
  Macs backward_input(const Signal&, const Record&, const Signal& dy, Signal& dx, const Pass&,
                      const Descent&) const override {
    std::copy_n(dy.value().data, dy.value().size(), dx.resize(dy.rows(), dy.cols()).data);
    return {};
  }
};

}  // namespace engram::testing
