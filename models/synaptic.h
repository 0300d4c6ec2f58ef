// What layers with a dense weight matrix share: weights [fan_in, outputs] with a bias, some of
// whose synapses may not exist. The weights of one input lie together, so that a layer reads those
// of its active inputs and no others.
#pragma once

#include <vector>

#include <fmt/format.h>

#include "models/layers.h"
#include "utils/buffer.h"
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
  /// Without `present` it is 0 for ever, and no parameter.
  void bind(int outputs, const std::string& name, ParamStore& store, bool present = true);
  bool present() const { return id_ >= 0; }
  std::span<const real> value() const {
    return present() ? CMat(store_->value(id_)).all() : std::span<const real>(zeros_);
  }
  /// Where initial values go; into the void when it is absent.
  Mat mutable_value() const {
    return present() ? store_->value(id_) : Mat{sink_.data(), 1, static_cast<int>(sink_.size())};
  }
  /// gradient += column sums of post.
  void accumulate(const Signal& post) const;
  /// The same for a matrix whose columns are the outputs.
  void accumulate(CMat post) const;
  void set_trainable(bool trainable) const {
    if (present()) store_->param(id_).trainable = trainable;
  }
  int id() const { return id_; }  ///< of its slice; -1 when absent

 private:
  std::span<real> opened() const;
  ParamStore* store_ = nullptr;
  int id_ = -1;
  std::vector<real> zeros_;  ///< of an absent one
  mutable std::vector<real> sink_;
};

class SynapticMatrix {
 public:
  explicit SynapticMatrix(const Synapses& synapses) : synapses_(synapses) {}

  /// Few active inputs (`place.active_share`) make the rows of the others lazy; the weights of the
  /// first layer are `scalable`, for no error goes down through them.
  void bind(int outputs, int fan_in, const Place& place, ParamStore& store);
  /// For one of several matrices of a layer, and for convolutions, whose inputs are more than a
  /// kernel's: neither lazy nor scalable.
  enum class Form { Linear, Convolution };
  void bind_part(const Fans& fans, int inputs, Form form, const std::string& name,
                 const Place& place, ParamStore& store);
  void init(const Rng& rng);

  CMat weight() const { return store_->value(weight_); }
  /// The weights, up to date in the rows of these inputs alone.
  CMat rows(std::span<const std::int32_t> inputs) const { return store_->rows(weight_, inputs); }
  /// The weights as factors and what they multiply, for forward passes.
  ParamStore::Scaled scaled() const { return store_->scaled(weight_); }
  bool lazy() const { return store_->param(weight_).lazy; }

  // What carries errors down beside the weights; see FeedbackPlan.
  bool has_feedback() const { return feedback_ >= 0 || !derived_.empty(); }
  /// What carries errors in place of the weights: the derived matrix if there is one, else the
  /// slice. [fan_in, outputs], or for Path::Direct [inputs or fan_in, outputs of the network].
  CMat feedback() const { return derived_.empty() ? CMat(slice()) : CMat(derived()); }
  /// The slice that is saved with the model; the layer's rule fills it.
  Mat slice() const { return store_->value(feedback_); }
  Mat derived() const;
  /// A draw from the law of the initial weights for a matrix stored like them: [fan_in, outputs],
  /// with the mask of the weights if it has their shape.
  void draw_like_weights(const Rng& rng, Mat to) const;
  /// What init() would make of weights [fan_in, outputs] and bias with these numbers, absent
  /// synapses 0; `bias` is written where the layer has one.
  void draw_again(const Rng& rng, Mat weights, std::span<real> bias) const;
  /// to [fan_in] <- a draw from the law of the initial weights for those of one output, absent ones
  /// 0.
  void draw_unit(const Rng& rng, int output, std::span<real> to) const;
  WeightInit law() const { return synapses_.init; }
  const Fans& fans() const { return fans_; }
  /// Of a weight as it starts.
  double initial_deviation() const { return init_deviation(law(), fans_, synapses_.init_scale); }
  bool is_convolution() const { return form_ == Form::Convolution; }
  /// dx [batch, inputs] <- the network's error [batch, outputs] through the direct matrix.
  Macs send_direct(const Signal& error, Mat dx) const;
  /// Absent synapses <- 0.
  void mask(Mat like_weights) const;
  const std::string& name() const { return store_->param(weight_).name; }
  int weight_id() const { return weight_; }
  int feedback_id() const { return feedback_; }
  /// The matrix of a path.
  CMat carrier(Path path) const { return path == Path::Weights ? weight() : feedback(); }
  std::span<const real> bias() const { return bias_.value(); }
  const Bias& bias_part() const { return bias_; }

  ParamStore::Opened open_gradient() const { return store_->open_gradient(weight_); }
  void add_gradient(GradientBlock& block) const { store_->add_gradient(weight_, block); }

  void set_trainable(bool trainable) const {
    store_->param(weight_).trainable = trainable, bias_.set_trainable(trainable);
    if (learned_feedback_) store_->param(feedback_).trainable = trainable;
  }
  /// ", 78 weights per unit" or "".
  std::string density_text() const {
    return synapses_.density < 1 ? fmt::format(", {} weights per unit", kept_) : "";
  }

 private:
  Synapses synapses_;
  ParamStore* store_ = nullptr;
  Bias bias_;
  int weight_ = -1, feedback_ = -1, kept_ = 0;
  Fans fans_;
  Form form_ = Form::Linear;
  bool learned_feedback_ = false;
  mutable Buffer<real> derived_;
};

}  // namespace engram
