// What layers with a dense weight matrix share: weights [fan_in, outputs] with a bias, some of
// whose synapses may not exist. The weights of one input lie together, so that a layer reads those
// of its active inputs and no others.
#pragma once

#include <vector>

#include <fmt/format.h>

#include "models/layers.h"
#include "utils/error.h"
#include "utils/kernels.h"

namespace engram {

/// How many synapses of a unit exist. Error(Config) when none would.
int checked_kept(const Synapses& synapses, int fan_in, const std::string& name);
/// Initial weights as they are drawn, [outputs, fan_in], the missing ones not yet 0; fills `bias`.
std::vector<real> drawn_weights(const Synapses& synapses, const Fans& fans, Mat bias,
                                const Rng& rng);

/// A bias [1, outputs] and its gradient.
class Bias {
 public:
  void bind(int outputs, const std::string& name, ParamStore& store);
  std::span<const real> value() const { return CMat(store_->value(id_)).all(); }
  Mat mutable_value() const { return store_->value(id_); }
  /// gradient += column sums of post.
  void accumulate(const Signal& post) const;
  /// The same for a matrix whose columns are the outputs.
  void accumulate(CMat post) const;
  void set_trainable(bool trainable) const { store_->param(id_).trainable = trainable; }

 private:
  std::span<real> opened() const;
  ParamStore* store_ = nullptr;
  int id_ = -1;
};

class SynapticMatrix {
 public:
  explicit SynapticMatrix(const Synapses& synapses) : synapses_(synapses) {}

  /// Few active inputs (`place.active_share`) make the rows of the others lazy; the weights of the
  /// first layer are `scalable`, for no error goes down through them.
  void bind(int outputs, int fan_in, const Place& place, ParamStore& store);
  void bind(int outputs, int fan_in, const std::string& name, ParamStore& store);
  void bind(const Fans& fans, const std::string& name, ParamStore& store);
  void init(const Rng& rng);
  const Fans& fans() const { return fans_; }
  /// Of a weight as it starts.
  double init_deviation() const { return engram::init_deviation(synapses_.init, fans_); }

  CMat weight() const { return store_->value(weight_); }
  /// The weights, up to date in the rows of these inputs alone.
  CMat rows(std::span<const std::int32_t> inputs) const { return store_->rows(weight_, inputs); }
  /// The weights as factors and what they multiply, for forward passes.
  ParamStore::Scaled scaled() const { return store_->scaled(weight_); }
  bool lazy() const { return store_->param(weight_).lazy; }
  std::span<const real> bias() const { return bias_.value(); }
  const Bias& bias_part() const { return bias_; }

  ParamStore::Opened open_gradient() const { return store_->open_gradient(weight_); }
  void add_gradient(GradientBlock& block) const { store_->add_gradient(weight_, block); }

  void set_trainable(bool trainable) const {
    store_->param(weight_).trainable = trainable, bias_.set_trainable(trainable);
  }
  /// ", 78 weights per unit" or "".
  std::string density_text() const {
    return synapses_.density < 1 ? fmt::format(", {} weights per unit", kept_) : "";
  }

 private:
  Synapses synapses_;
  Fans fans_;
  ParamStore* store_ = nullptr;
  Bias bias_;
  int weight_ = -1, kept_ = 0;
};

}  // namespace engram
