#include "models/circuits/ff.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "utils/error.h"
#include "utils/kernels.h"
#include "utils/parallel.h"
#include "utils/sparse_kernels.h"

namespace engram {
namespace {

constexpr int kStatesAtOnce = 1024;

double product(int m, int n, int k) {
  return static_cast<double>(m) * n * k;
}
real squares_of(const real* x, int n) {
  real sum = 0;
#pragma omp simd reduction(+ : sum)
  for (int j = 0; j < n; ++j)
    sum += x[j] * x[j];
  return sum;
}

}  // namespace

Ff::Ff(const FfOptions& options, std::vector<int> widths, int labels)
    : o_(options), widths_(std::move(widths)), labels_(labels) {
  if (widths_.empty())
    throw Error(Fault::Config,
                "model = ff needs a hidden layer at least; set hidden_layers or "
                "hidden");
}

std::string Ff::describe() const {
  return fmt::format("forward-forward {} -> {}, {} labels {} the image", pixels_,
                     fmt::join(widths_, " -> "), labels_,
                     o_.label == LabelPlace::Overlay ? "in" : "behind");
}

double Ff::threshold(int level) const {
  return o_.threshold.value_or(o_.goodness == FfGoodness::Sum ? width(level) : 1);
}

ImageShape Ff::bind(ImageShape in, const Place& place, ParamStore& store) {
  store_ = &store, pixels_ = in.size();
  if (o_.label == LabelPlace::Overlay && labels_ > pixels_)
    throw Error(Fault::Config,
                fmt::format("{} labels do not fit over {} pixels; use ff.label = append", labels_,
                            pixels_));
  inputs_ = pixels_ + (o_.label == LabelPlace::Append ? labels_ : 0);
  weights_.clear(), biases_.clear(), heads_.clear(), means_.clear();
  int below = inputs_;
  for (int l = 0; l < levels(); ++l) {
    const auto name = [&](const char* what) {
      return fmt::format("{}.{}{}", place.name, what, l + 1);
    };
    weights_.push_back(store.add(name("W"), below, width(l)));
    biases_.push_back(store.add(name("b"), 1, width(l)));
    store.param(biases_.back()).decay = 0;
    heads_.push_back(l < first_deciding() ? -1 : store.add(name("head"), width(l), labels_));
    means_.push_back(store.add_state(name("mean"), 1, width(l)));
    below = width(l);
  }
  return {1, 1, labels_};
}

void Ff::init(Rng rng) {
  for (int l = 0; l < levels(); ++l) {
    Rng draw = rng.fork("weights", static_cast<std::uint64_t>(l));
    const Mat w = store_->value(weight_id(l));
    const double deviation = 1 / std::sqrt(static_cast<double>(w.rows));
    for (real& x : w.all())
      x = static_cast<real>(deviation * draw.normal());
    kernels::fill(mean_activity(l).all(), real{0.5});
  }
}

double Ff::divisor(double squares, int width) const {
  return o_.normaliser_epsilon +
         std::sqrt(o_.normaliser == FfNormaliser::Rms ? squares / width : squares);
}

void Ff::incoming(Signal& to) const {
  const CMat w = store_->value(weight_id(0));
  kernels::transpose({w.data, pixels_, w.cols}, to.resize(w.cols, pixels_));  // rows of labels last
}

void Ff::normalise(CMat h, Mat u) const {
  for_rows(h.rows, [&](int i) {
    const double length = divisor(static_cast<double>(squares_of(h.row(i), h.cols)), h.cols);
    const real scale = static_cast<real>(1 / length);
    const bool dead = !std::isfinite(scale);  // a level that is silent stays so
#pragma omp simd
    for (int j = 0; j < h.cols; ++j)
      u.row(i)[j] = dead ? real{0} : h.row(i)[j] * scale;
  });
}

Macs Ff::look(CMat x, Image& image) const {
  const Mat to = image.x.resize(x.rows, inputs_);
  image.squares.resize(static_cast<std::size_t>(x.rows));
  for_rows(x.rows, [&](int i) {
    std::copy_n(x.row(i), pixels_, to.row(i));
    std::fill_n(to.row(i) + label_row(0), labels_, real{0});
    image.squares[static_cast<std::size_t>(i)] = squares_of(to.row(i), inputs_);
  });
  kernels::gemm(false, false, 1, to, store_->value(weight_id(0)), 0,
                image.product.resize(x.rows, width(0)));
  const double work = product(x.rows, width(0), inputs_);
  return {work, work};
}

real Ff::input_scale(const Image& image, int row, double label_squares) const {
  if (!o_.normalise_input) return 1;
  const double all = static_cast<double>(image.squares[static_cast<std::size_t>(row)]);
  return static_cast<real>(1 / divisor(all + label_squares, inputs_));
}

Macs Ff::ascend(const Image& image, std::span<const int> rows, std::span<const int> label,
                int count, Levels& s) const {
  const int states = static_cast<int>(rows.size());
  s.h.resize(static_cast<std::size_t>(levels())), s.u.resize(s.h.size());
  s.goodness.resize(s.h.size()), s.scale.resize(rows.size());
  const double strength = o_.label_strength;
  const CMat w1 = store_->value(weight_id(0));
  // The neutral label spreads its strength over all labels.
  const Mat all = s.neutral.resize(1, width(0));
  std::ranges::fill(all.all(), real{0});
  for (int c = 0; c < labels_; ++c)
    kernels::axpy(static_cast<real>(strength / labels_),
                  {w1.row(label_row(c)), static_cast<std::size_t>(width(0))}, all.data);
  Macs macs;
  for (int l = 0; l < count; ++l) {
    const auto at = static_cast<std::size_t>(l);
    const Mat h = s.h[at].resize(states, width(l));
    const CMat bias = store_->value(bias_id(l));
    if (l > 0) {
      kernels::gemm(false, false, 1, s.u[at - 1].value(), store_->value(weight_id(l)), 0, h,
                    bias.data);
      macs.executed += product(states, width(l), width(l - 1));
    }
    macs.dense += product(states, width(l), l > 0 ? width(l - 1) : inputs_);
    s.goodness[at].resize(rows.size());
    for_rows(states, [&](int i) {
      const auto state = static_cast<std::size_t>(i);
      real* out = h.row(i);
      if (l == 0) {
        const bool none = label[state] == kNeutral;
        const real scale =
            input_scale(image, rows[state], strength * strength / (none ? labels_ : 1));
        s.scale[state] = scale;
        const real* x = image.product.value().row(rows[state]);
        const real* y = none ? all.data : w1.row(label_row(label[state]));
        const real of_label = scale * static_cast<real>(none ? 1 : strength);
#pragma omp simd
        for (int j = 0; j < h.cols; ++j)
          out[j] = scale * x[j] + of_label * y[j] + bias.data[j];
      }
      for (int j = 0; j < h.cols; ++j)
        out[j] = std::max(out[j], real{0});
      s.goodness[at][state] =
          squares_of(out, h.cols) / static_cast<real>(o_.goodness == FfGoodness::Sum ? 1 : h.cols);
    });
    normalise(h, s.u[at].resize(states, width(l)));
  }
  return macs;
}

Macs Ff::read_out(const Levels& s, Mat logits) const {
  double work = 0;
  for (int l = first_deciding(); l < levels(); ++l) {
    kernels::gemm(false, false, 1, s.u[static_cast<std::size_t>(l)].value(),
                  store_->value(head_id(l)), l == first_deciding() ? real{0} : real{1}, logits);
    work += product(logits.rows, labels_, width(l));
  }
  return {work, work};
}

Macs Ff::forward(const Signal& x, Record& y, const Pass& pass) const {
  y.out.resize(x.rows(), labels_);
  y.saved.assign(static_cast<std::size_t>(x.rows()) * labels_ * levels(),
                 std::numeric_limits<real>::quiet_NaN());
  if (o_.inference == FfInference::Softmax) return classify(x, y);
  std::vector<int> labels;
  for (int c = 0; c < labels_; ++c)
    if (pass.outputs.empty() || pass.outputs[static_cast<std::size_t>(c)]) labels.push_back(c);
  return try_labels(x, labels, y);
}

Macs Ff::classify(const Signal& x, Record& y) const {
  Image image;
  Levels levels_now;
  Macs macs = look(x.value(), image);
  std::vector<int> rows(static_cast<std::size_t>(x.rows())), none(rows.size(), kNeutral);
  for (std::size_t i = 0; i < rows.size(); ++i)
    rows[i] = static_cast<int>(i);
  macs += ascend(image, rows, none, levels(), levels_now);
  return macs += read_out(levels_now, y.out.value());
}

Macs Ff::try_labels(const Signal& x, std::span<const int> labels, Record& y) const {
  const int candidates = static_cast<int>(labels.size());
  const int step = std::max(1, kStatesAtOnce / std::max(1, candidates));
  std::ranges::fill(y.out.value().all(), std::numeric_limits<real>::lowest());
  Image image;
  Levels s;
  Macs macs;
  for (int first = 0; first < x.rows(); first += step) {
    const int count = std::min(step, x.rows() - first);
    macs += look({x.value().row(first), count, x.cols()}, image);
    std::vector<int> row, label;
    for (int i = 0; i < count * candidates; ++i)
      row.push_back(i / candidates),
          label.push_back(labels[static_cast<std::size_t>(i % candidates)]);
    macs += ascend(image, row, label, levels(), s);
    for (std::size_t i = 0; i < row.size(); ++i) {
      const int at = first + row[i];
      real* goodness =
          y.saved.data() + (static_cast<std::size_t>(at) * labels_ + label[i]) * levels();
      real score = 0;
      for (int l = 0; l < levels(); ++l) {
        goodness[l] = s.goodness[static_cast<std::size_t>(l)][i];
        if (l >= first_deciding()) score += goodness[l];
      }
      y.out.value().row(at)[label[i]] = score;
    }
  }
  return macs;
}

}  // namespace engram
