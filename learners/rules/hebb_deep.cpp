// The deep "Hebbian" head of D2BL (2023): two fully connected layers above features that stand
// still. W1 learns from its own linear output y by Hebb's rule, the classifier W2 by the delta rule
// at unit length. D̂ = D / (|D| + 1e-8).
//   repo:      W1 += step D̂ of fᵀ y;  W2 += step D̂ of zᵀ E,  z = f W1, without the activation that
//              the forward pass has, and with the new W1. Nothing bounds the first: it adds a
//              matrix of rank one and norm 1 with every batch until nothing else is left in W1.
//   corrected: W1 += lr (fᵀ y - W1 triu(yᵀ y)) / B, Sanger's rule; z with the activation.
// E is one-hot minus softmax, over B. The loss that is reported is the cross-entropy of the
// softmax.
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "learners/rules/rules.h"
#include "utils/error.h"
#include "utils/kernels.h"

namespace engram {
namespace {

constexpr double kFloor = 1e-8;

double length(CMat m) {
  double squares = 0;
  for (const real x : m.all())
    squares += static_cast<double>(x) * static_cast<double>(x);
  return std::sqrt(squares);
}

class HebbDeep final : public Rule {
 public:
  HebbDeep(const HebbDeepOptions& options, const LossOptions& loss) : o_(options), loss_(loss) {}

  Provides provides() const override { return Provides::OutputError; }
  const Tape& tape() const override { return tape_; }
  std::vector<std::span<real>> state() override { return {direction_}; }
  std::vector<std::string> measure_names() const override {
    return {"norm/" + name_, "norm_growth/" + name_, "top_share/" + name_};
  }
  std::span<const double> measures() const override { return measures_; }
  int resting(int) const override { return hidden_; }

  void prepare(Network& net, Rng rng) override {
    top_ = net.depth() - 1;
    hidden_ = top_ - 1;
    while (hidden_ >= 0 && net.layer(hidden_).synapses().empty() &&
           !net.layer(hidden_).existing_synapses())
      --hidden_;
    check(net);
    name_ = net.layer_name(hidden_);
    hidden_weights_ = weight_id(net, hidden_), top_weights_ = weight_id(net, top_);
    ParamStore& params = net.params();
    for (int id = 0; id < params.count(); ++id)
      params.param(id).trainable = false;
    for (const int l : {hidden_, top_}) {
      const Mat bias = net.layer(l).synapses().front()->bias_part().mutable_value();
      std::fill_n(bias.data, bias.size(), real{0});
    }
    direction_.resize(static_cast<std::size_t>(net.params().value(hidden_weights_).cols));
    Rng draw = rng.fork("hebb_deep");
    for (real& v : direction_)
      v = static_cast<real>(draw.normal());
  }

  BatchStats learn(Network& net, const Batch& batch, const Pass& given,
                   const ErrorHook& hook) override {
    const Pass pass = resting_below(given, hidden_);
    const Macs forward = net.forward(batch.x, tape_, pass);
    BatchStats stats = output_error(loss_, tape_.back().out, batch, error_);
    if (hook) hook(std::as_const(tape_.back().out).value(), error_.value());
    const Signal& features = input_of(net, hidden_, batch.x, tape_);
    const Mat hidden = net.params().value(hidden_weights_);
    const double before = length(hidden);
    learn_hidden(net, features.value());
    stats.macs += forward;
    stats.macs += learn_top(net, features, pass);
    const double n = static_cast<double>(batch.rows()) * features.cols() * hidden.cols;
    stats.macs += Macs{n, n};
    measure(hidden, before);
    return stats;
  }

 private:
  static int weight_id(const Network& net, int l) {
    return net.layer(l).synapses().front()->weight_id();
  }

  void check(const Network& net) const {
    const auto plain = [&](int l) {
      const auto matrices = net.layer(l).synapses();
      return matrices.size() == 1 && !matrices.front()->is_convolution() &&
             net.params().param(matrices.front()->weight_id()).mask.empty();
    };
    if (hidden_ < 0 || !plain(hidden_) || !plain(top_))
      throw Error(Fault::Config,
                  "rule = hebb_deep teaches a fully connected layer and a classifier, both dense, "
                  "above features: give the model one more of `hidden`, and with a head for every "
                  "task use head = shared or masked");
    for (int l = hidden_ + 1; l <= top_; ++l)
      if (net.source(l) != l - 1 || net.second(l) >= 0 || net.gating())
        throw Error(Fault::Config,
                    "rule = hebb_deep needs its two layers one above the other, "
                    "without shortcuts and gating");
  }

  /// to += scale D / |D|.
  static void add_unit(CMat d, double scale, Mat to) {
    const auto factor = static_cast<real>(scale / (length(d) + kFloor));
    for (std::size_t i = 0; i < to.size(); ++i)
      to.data[i] += factor * d.data[i];
  }

  void learn_hidden(Network& net, CMat f) {
    const Mat w = net.params().value(hidden_weights_);
    const CMat y = tape_[static_cast<std::size_t>(hidden_)].out.value();
    const Mat change = change_.resize(w.rows, w.cols);
    kernels::gemm(true, false, 1, f, y, 0, change);
    if (o_.form == HebbDeepForm::Repo) return add_unit(change, o_.step, w);
    const Mat products = products_.resize(w.cols, w.cols);  // yᵀ y
    kernels::gemm(true, false, 1, y, y, 0, products);
    for (int j = 0; j < products.rows; ++j)  // unit k sees itself and those before it
      std::fill_n(products.row(j), j, real{0});
    kernels::gemm(false, false, -1, w, products, 1, change);
    const auto rate = static_cast<real>(o_.rate / y.rows);
    for (std::size_t i = 0; i < w.size(); ++i)
      w.data[i] += rate * change.data[i];
  }

  Macs learn_top(Network& net, const Signal& features, const Pass& pass) {
    again_.resize(tape_.size());
    const int last = o_.form == HebbDeepForm::Repo ? hidden_ : top_ - 1;
    Macs macs;
    const Signal* below = &features;
    for (int l = hidden_; l <= last; ++l) {
      Record& y = again_[static_cast<std::size_t>(l)];
      macs += net.layer(l).forward(*below, y, pass);
      below = &y.out;
    }
    const Mat w = net.params().value(top_weights_);
    const Mat change = change_.resize(w.rows, w.cols);
    kernels::gemm(true, false, -1, below->value(), error_.value(), 0, change);
    add_unit(change, o_.step, w);
    return macs;
  }

  /// Of the hidden weights: their norm, by how much it grew, and the share of it that lies in one
  /// direction, by two rounds of a power iteration that goes on from batch to batch.
  void measure(CMat w, double before) {
    const double norm = length(w);
    const auto units = static_cast<int>(direction_.size());
    const Mat v{direction_.data(), 1, units};
    image_.resize(static_cast<std::size_t>(w.rows));
    const Mat u{image_.data(), 1, w.rows};
    double top = 0;
    for (int round = 0; round < 2; ++round) {
      scale_to_one(v);
      kernels::gemm(false, true, 1, v, w, 0, u);
      top = length(u);
      kernels::gemm(false, false, 1, u, w, 0, v);
    }
    measures_ = {norm, norm - before, norm > 0 ? top / norm : 0};
  }
  static void scale_to_one(Mat v) {
    const double size = length(v);
    const auto factor = static_cast<real>(size > 0 ? 1 / size : 0);
    for (std::size_t i = 0; i < v.size(); ++i)
      v.data[i] *= factor;
  }

  HebbDeepOptions o_;
  LossOptions loss_;
  int hidden_ = 0, top_ = 0;
  int hidden_weights_ = -1, top_weights_ = -1;
  std::string name_;
  Tape tape_, again_;
  Signal error_, change_, products_;
  std::vector<real> direction_, image_;
  std::array<double, 3> measures_{};
};

}  // namespace

std::unique_ptr<Rule> make_hebb_deep(const HebbDeepOptions& options, const RuleContext& context) {
  return std::make_unique<HebbDeep>(options, context.loss);
}

}  // namespace engram
