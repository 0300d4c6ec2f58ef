#include "learners/vae.h"

#include <algorithm>
#include <cmath>

#include "models/layers.h"
#include "utils/error.h"

namespace engram {
namespace {

/// relu layers of these widths and a linear one on top. The first layer hands on its input, so that
/// an error can be asked for there.
std::vector<LayerPtr> stack_of(std::span<const int> widths, int outputs) {
  std::vector<LayerPtr> layers;
  layers.push_back(flatten());
  for (const int width : widths)
    layers.push_back(linear(width)), layers.push_back(relu());
  layers.push_back(linear(outputs));
  return layers;
}
std::vector<int> reversed(std::vector<int> widths) {
  std::ranges::reverse(widths);
  return widths;
}

/// exp(-|z|), which never overflows.
double tail_of(double z) {
  return std::exp(-std::abs(z));
}
double sigmoid(double z, double tail) {
  return (z >= 0 ? 1 : tail) / (1 + tail);
}

}  // namespace

Vae::Vae(const VaeShape& shape, Rng init)
    : codes_(shape.codes),
      encoder_({1, 1, shape.pixels}, stack_of(shape.hidden, 2 * shape.codes), init.fork("encoder")),
      decoder_({1, 1, shape.codes}, stack_of(reversed(shape.hidden), shape.pixels),
               init.fork("decoder")) {}

double Vae::learn(const Signal& x, std::span<const real> weight, Rng rng) {
  ENGRAM_INVARIANT(weight.size() == static_cast<std::size_t>(x.rows()));
  const Pass pass{true};
  encoder_.forward(x, up_, pass);
  const CMat moments = std::as_const(up_.back().out).value();
  const Mat z = z_.resize(x.rows(), codes_), noise = noise_.resize(x.rows(), codes_);
  rng.normals(1, noise.all());
  for (int b = 0; b < z.rows; ++b)
    for (int i = 0; i < codes_; ++i)
      z.row(b)[i] = moments.row(b)[i] + std::exp(moments.row(b)[codes_ + i] / 2) * noise.row(b)[i];
  decoder_.forward(z_, down_, pass);

  const CMat images = x.value(), logits = std::as_const(down_.back().out).value();
  const Mat slope = logit_error_.resize(logits.rows, logits.cols);
  double loss = 0;
  for (int b = 0; b < logits.rows; ++b) {
    const auto w = static_cast<double>(weight[static_cast<std::size_t>(b)]);
    double row = 0;
    for (int p = 0; p < logits.cols; ++p) {
      const auto l = static_cast<double>(logits.row(b)[p]);
      const auto target = static_cast<double>(images.row(b)[p]);
      const double tail = tail_of(l);
      row += std::max(l, 0.0) - l * target + std::log1p(tail);
      slope.row(b)[p] = static_cast<real>(w * (sigmoid(l, tail) - target));
    }
    loss += w * row;
  }
  decoder_.params().zero_grad(), encoder_.params().zero_grad();
  descend(decoder_, z_, down_, logit_error_, walk_down_, &code_error_);

  const CMat back = std::as_const(code_error_).value();
  const Mat error = moment_error_.resize(x.rows(), 2 * codes_);
  for (int b = 0; b < back.rows; ++b) {
    const real w = weight[static_cast<std::size_t>(b)];
    double divergence = 0;
    for (int i = 0; i < codes_; ++i) {
      const real mean = moments.row(b)[i], log_variance = moments.row(b)[codes_ + i];
      const real variance = std::exp(log_variance);
      divergence += static_cast<double>(mean * mean + variance - 1 - log_variance) / 2;
      error.row(b)[i] = back.row(b)[i] + w * mean;
      error.row(b)[codes_ + i] =
          (back.row(b)[i] * noise.row(b)[i] * std::sqrt(variance) + w * (variance - 1)) / 2;
    }
    loss += static_cast<double>(w) * divergence;
  }
  descend(encoder_, x, up_, moment_error_, walk_up_, nullptr);
  return loss;
}

void Vae::descend(Network& net, const Signal& x, const Tape& tape, const Signal& error,
                  WalkDown& walk, Signal* at_input) {
  const Pass pass{true};
  const auto in = [&](int l) -> const Signal& { return input_of(net, l, x, tape); };
  walk.run(
      net, error,
      [&](int l, const Signal& above) {
        if (l == 0 && at_input) copy_signal(above, *at_input);
        net.layer(l).accumulate(in(l), tape[static_cast<std::size_t>(l)], above, pass);
      },
      [&](int l, const Signal& above, Signal& below) {
        return net.layer(l).backward_input(in(l), tape[static_cast<std::size_t>(l)], above, below,
                                           pass);
      },
      [](int, const Signal&, std::span<Signal>) { return Macs{}; }, at_input ? 0 : 1);
}

void Vae::paint(int count, Rng rng, Signal& images) {
  const Mat z = z_.resize(count, codes_);
  rng.normals(1, z.all());
  decoder_.evaluate(z_, down_, {});
  const CMat logits = std::as_const(down_.back().out).value();
  const Mat to = images.resize(logits.rows, logits.cols);
  for (std::size_t i = 0; i < to.size(); ++i) {
    const auto l = static_cast<double>(logits.data[i]);
    to.data[i] = static_cast<real>(sigmoid(l, tail_of(l)));
  }
}

}  // namespace engram
