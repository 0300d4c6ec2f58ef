#include "learners/top_layer.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "models/synaptic.h"
#include "utils/error.h"
#include "utils/kernels.h"

namespace engram {

void TopLayerRule::check(const Network& net) const {
  const Layer& top = net.layer(net.depth() - 1);
  if (top.existing_synapses())
    throw Error(Fault::Config,
                fmt::format("{} fills a classifier that stores all its weights, also those of "
                            "synapses that do not exist: use weight_storage = dense, or "
                            "weight_sparsity_head = 1",
                            name()));
  const auto matrices = top.synapses();
  if (matrices.size() != 1 || matrices.front()->is_convolution())
    throw Error(Fault::Config,
                fmt::format("{} teaches one fully connected classifier; with a head for every task "
                            "use head = shared or masked",
                            name()));
}

void TopLayerRule::prepare(Network& net, Rng) {
  check(net);
  top_ = net.depth() - 1;
  const auto matrices = net.layer(net.depth() - 1).synapses();
  ParamStore& params = net.params();
  for (int id = 0; id < params.count(); ++id)
    params.param(id).trainable = false;
  weight_ = matrices.front()->weight_id();
  std::ranges::fill(params.value(weight_).all(), real{0});
  std::ranges::fill(matrices.front()->bias_part().mutable_value().all(), real{0});
  memory_.assign(params.param(weight_).size(), 0);
}

BatchStats TopLayerRule::learn(Network& net, const Batch& batch, const Pass& pass,
                               const ErrorHook&) {
  BatchStats stats;
  stats.macs = net.forward(batch.x, tape_, resting_below(pass, top_));
  const CMat logits = tape_.back().out.value();
  const CMat h = input_of(net, top_, batch.x, tape_).value();
  const Mat w = net.params().value(weight_);
  const Mat memory{memory_.data(), w.cols, w.rows};
  const auto norm = [](const real* v, int count, int step) {
    double squares = 0;
    for (int i = 0; i < count; ++i)
      squares += std::pow(static_cast<double>(v[static_cast<std::ptrdiff_t>(i) * step]), 2);
    return std::sqrt(squares);
  };
  for (int b = 0; b < batch.rows(); ++b) {
    const auto row = static_cast<std::size_t>(b);
    const int label = batch.target[row];
    const auto mask = batch.mask.empty() ? std::span<const std::uint8_t>{} : batch.mask[row];
    stats.correct +=
        kernels::argmax({logits.row(b), static_cast<std::size_t>(logits.cols)}, mask) == label;
    const double both = norm(h.row(b), h.cols, 1) * norm(w.data + label, w.rows, w.cols);
    const auto along = static_cast<double>(logits.row(b)[label]);
    stats.loss += (1 - (both > 0 ? along / both : 0)) / batch.rows();
  }
  for (int b = 0; b < batch.rows(); ++b)
    take(h.row(b), batch.target[static_cast<std::size_t>(b)], memory);
  for (int c = 0; c < w.cols; ++c)
    if (std::ranges::find(batch.target, c) != batch.target.end())
      fill(net.params().param(weight_), c, memory, w);
  return stats;
}

void TopLayerRule::fill(const Param& param, int label, Mat memory, Mat weights) {
  real* const own = memory.row(label);
  if (!param.mask.empty())
    for (int i = 0; i < weights.rows; ++i)
      if (param.mask[static_cast<std::size_t>(i) * weights.cols + label] == 0) own[i] = 0;
  column_.assign(own, own + weights.rows);
  weights_of(own, column_);
  for (int i = 0; i < weights.rows; ++i)
    weights.row(i)[label] = column_[static_cast<std::size_t>(i)];
}

}  // namespace engram
