// What linear and convolutional layers share: a weight matrix [outputs, fan_in] with a bias, some
// of whose synapses may not exist.
#pragma once

#include <cmath>

#include <fmt/format.h>

#include "models/layers.h"
#include "utils/error.h"

namespace engram {

class SynapticMatrix {
 public:
  explicit SynapticMatrix(const Synapses& synapses) : synapses_(synapses) {}

  void bind(int outputs, int fan_in, const std::string& name, ParamStore& store) {
    store_ = &store;
    weight_ = store.add(name + ".weight", outputs, fan_in);
    bias_ = store.add(name + ".bias", 1, outputs);
    if (synapses_.density < 1) {
      kept_ = kept_per_row(synapses_.density, fan_in, synapses_.rounding);
      if (kept_ < 1)
        throw Error(Fault::Config,
                    fmt::format("{}: a weight density of {} leaves none of the {} synapses of a "
                                "unit; raise weight_sparsity (the fraction that exists)",
                                name, synapses_.density, fan_in));
    }
  }

  void init(const Rng& rng) {
    init_weights(synapses_.init, store_->value(weight_), store_->value(bias_), rng);
    const Param& p = store_->param(weight_);
    if (synapses_.density < 1)
      store_->set_mask(weight_, random_mask(p.rows, p.cols, kept_, rng.fork("mask")));
  }

  CMat weight() const { return store_->value(weight_); }
  std::span<const real> bias() const { return CMat(store_->value(bias_)).all(); }
  Mat weight_grad() const { return store_->grad(weight_); }
  std::span<real> bias_grad() const {
    store_->touch_all(bias_);
    return store_->grad(bias_).all();
  }
  void touch_all() const { store_->touch_all(weight_); }
  void touch_row(int row) const { store_->touch_row(weight_, row); }
  void set_trainable(bool trainable) const {
    store_->param(weight_).trainable = trainable, store_->param(bias_).trainable = trainable;
  }
  /// ", 10 % of weights" or "".
  std::string density_text() const {
    return synapses_.density < 1 ? fmt::format(", {} weights per unit", kept_) : "";
  }

 private:
  Synapses synapses_;
  ParamStore* store_ = nullptr;
  int weight_ = -1, bias_ = -1, kept_ = 0;
};

}  // namespace engram
