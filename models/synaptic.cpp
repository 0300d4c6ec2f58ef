#include "models/synaptic.h"

#include <algorithm>
#include <cmath>

#include "utils/sparse_kernels.h"

namespace engram {
namespace {

/// Below this share of active inputs a batch leaves most rows of a layer unread, so it pays to owe
/// them their idle steps; above, sweeping over all weights is as cheap.
constexpr double kLazyShare = 0.005;
constexpr int kLazyRows = 256;

}  // namespace

int checked_kept(const Synapses& synapses, int fan_in, const std::string& name) {
  if (synapses.density >= 1) return fan_in;
  const int kept = kept_per_row(synapses.density, fan_in, synapses.rounding);
  if (kept < 1)
    throw Error(Fault::Config,
                fmt::format("{}: a weight density of {} leaves none of the {} synapses of a unit; "
                            "raise weight_sparsity (the fraction that exists)",
                            name, synapses.density, fan_in));
  return kept;
}

std::vector<real> drawn_weights(const Synapses& synapses, const Fans& fans, Mat bias,
                                const Rng& rng) {
  std::vector<real> drawn(static_cast<std::size_t>(fans.outputs) * fans.in);
  init_weights(synapses.init, fans, {drawn.data(), fans.outputs, fans.in}, bias, rng,
               synapses.init_scale);
  return drawn;
}

void Bias::bind(int outputs, const std::string& name, ParamStore& store, bool present) {
  store_ = &store;
  if (present)
    id_ = store.add(name + ".bias", 1, outputs);
  else
    zeros_.assign(static_cast<std::size_t>(outputs), 0), sink_ = zeros_;
}

std::span<real> Bias::opened() const {
  const auto gradient = store_->open_gradient(id_);
  if (gradient.fresh) std::fill_n(gradient.value.data, gradient.value.size(), real{0});
  return gradient.value.all();
}

void Bias::accumulate(const Signal& post) const {
  if (!present()) return;
  if (!post.active.known()) return accumulate(post.value());
  const std::span<real> gradient = opened();
  for (int b = 0; b < post.rows(); ++b) {
    const real* row = post.value().row(b);
    for (const std::int32_t o : post.active.row(b))
      gradient[o] += row[o];
  }
}

void Bias::accumulate(CMat post) const {
  if (!present()) return;
  kernels::add_column_sums(post, opened());
}

void SynapticMatrix::bind(int outputs, int fan_in, const Place& place, ParamStore& store) {
  bind_part({outputs, fan_in, outputs}, fan_in, Form::Linear, place.name, place, store);
  Param& p = store.param(weight_);
  p.lazy = place.active_share <= kLazyShare && fan_in >= kLazyRows;
  p.scalable = place.index == 0 && !p.lazy && synapses_.density >= 1 && outputs >= kLazyRows;
}

void SynapticMatrix::bind_part(const Fans& fans, int inputs, Form form, const std::string& name,
                               const Place& place, ParamStore& store) {
  fans_ = fans, form_ = form, store_ = &store;
  weight_ = store.add(name + ".weight", fans.in, fans.outputs);
  bias_.bind(fans.outputs, name, store, synapses_.bias);
  kept_ = checked_kept(synapses_, fans.in, name);
  const FeedbackPlan* const plan = place.reads_input ? nullptr : place.feedback;
  if (!plan) return;
  const bool direct = plan->path == Path::Direct;
  if (plan->kept) {
    const int rows = direct && plan->convolutions == DirectMap::Dense ? inputs : fans.in;
    feedback_ = store.add(name + ".feedback", rows, direct ? plan->outputs : fans.outputs);
    store.param(feedback_).trainable = learned_feedback_ = plan->learned;
  }
  if (plan->derived) derived_ = Buffer<real>(static_cast<std::size_t>(fans.in) * fans.outputs);
}

Macs SynapticMatrix::send_direct(const Signal& error, Mat dx) const {
  kernels::gemm(false, true, 1, error.value(), feedback(), 0, dx);
  const double n = static_cast<double>(dx.size()) * error.cols();
  return {n, n};
}

Mat SynapticMatrix::derived() const {
  return {derived_.data(), fans_.in, fans_.outputs};
}

void SynapticMatrix::draw_like_weights(const Rng& rng, Mat to) const {
  std::vector<real> bias(static_cast<std::size_t>(to.cols));
  const int taps = to.rows == fans_.in ? fans_.out / fans_.outputs : 1;
  const auto drawn = drawn_weights(synapses_, {to.cols, to.rows, to.cols * std::max(1, taps)},
                                   {bias.data(), 1, to.cols}, rng);
  kernels::transpose({drawn.data(), to.cols, to.rows}, to);
  if (to.rows == fans_.in && to.cols == fans_.outputs) mask(to);
}

void SynapticMatrix::draw_again(const Rng& rng, Mat weights, std::span<real> bias) const {
  std::vector<real> biases(static_cast<std::size_t>(fans_.outputs));
  const auto drawn = drawn_weights(synapses_, fans_, {biases.data(), 1, fans_.outputs}, rng);
  kernels::transpose({drawn.data(), fans_.outputs, fans_.in}, weights);
  mask(weights);
  if (bias_.present()) std::ranges::copy(biases, bias.begin());
}

void SynapticMatrix::draw_unit(const Rng& rng, int output, std::span<real> to) const {
  real bias = 0;
  const auto drawn = drawn_weights(synapses_, {1, fans_.in, fans_.out}, {&bias, 1, 1}, rng);
  // A single row is orthonormal by its length alone; among many it is as long as they are.
  const double length = law() == WeightInit::Orthogonal
                            ? initial_deviation() * std::sqrt(static_cast<double>(fans_.in))
                            : 1;
  const auto& mask = store_->param(weight_).mask;
  const auto outputs = static_cast<std::size_t>(fans_.outputs);
  for (std::size_t i = 0; i < to.size(); ++i) {
    const bool exists = mask.empty() || mask[i * outputs + static_cast<std::size_t>(output)] != 0;
    to[i] = exists ? static_cast<real>(length) * drawn[i] : real{0};
  }
}

void SynapticMatrix::mask(Mat like_weights) const {
  const auto& mask = store_->param(weight_).mask;
  for (std::size_t i = 0; i < mask.size(); ++i)
    if (mask[i] == 0) like_weights.data[i] = 0;
}

void Layer::incoming(Signal& to) const {
  const auto matrices = synapses();
  if (matrices.empty()) {
    to.resize(0, 0);
    return;
  }
  const CMat w = matrices.front()->weight();
  kernels::transpose(w, to.resize(w.cols, w.rows));
}

void SynapticMatrix::init(const Rng& rng) {
  const Mat w = store_->value(weight_);
  const auto drawn = drawn_weights(synapses_, fans_, bias_.mutable_value(), rng);
  kernels::transpose({drawn.data(), w.cols, w.rows}, w);
  if (synapses_.density >= 1) return;
  const auto kept = random_mask(w.cols, w.rows, kept_, rng.fork("mask"));
  std::vector<std::uint8_t> mask(kept.size());
  for (int o = 0; o < w.cols; ++o)
    for (int i = 0; i < w.rows; ++i)
      mask[static_cast<std::size_t>(i) * w.cols + o] =
          kept[static_cast<std::size_t>(o) * w.rows + i];
  if (feedback_ >= 0 && store_->param(feedback_).size() == mask.size())
    store_->set_mask(feedback_, mask);
  store_->set_mask(weight_, std::move(mask));
}

}  // namespace engram
