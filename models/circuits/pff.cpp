#include "models/circuits/pff.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "utils/elementwise.h"
#include "utils/error.h"
#include "utils/kernels.h"
#include "utils/linalg.h"
#include "utils/parallel.h"
#include "utils/sparse_kernels.h"

namespace engram {
namespace {

/// Rows of states that are computed together when labels are tried: enough for fast products, few
/// enough to stay small.
constexpr int kStatesAtOnce = 1024;

double product(int m, int n, int k) {
  return static_cast<double>(m) * n * k;
}

}  // namespace

void normalise_rows(CMat u, Mat normed) {
  for_rows(u.rows, [&](int i) {
    const real* from = u.row(i);
    real* to = normed.row(i);
    real sum = 0;
#pragma omp simd reduction(+ : sum)
    for (int j = 0; j < u.cols; ++j)
      sum += from[j] * from[j];
    const real scale = 1 / (std::sqrt(sum) + static_cast<real>(1e-8));
#pragma omp simd
    for (int j = 0; j < u.cols; ++j)
      to[j] = from[j] * scale;
  });
}

Pff::Pff(const PffOptions& options, int hidden, int labels)
    : o_(options), hidden_(hidden), labels_(labels) {
  if (hidden % o_.group != 0)
    throw Error(Fault::Config,
                fmt::format("hidden_units = {} does not divide into groups of pff.group = {}; use "
                            "a multiple of it",
                            hidden, o_.group));
}

std::string Pff::describe() const {
  return fmt::format(
      "predictive forward-forward {} -> {} -> {}, {} labels, {} steps, groups of {}, code of {}",
      pixels_, hidden_, hidden_, labels_, o_.steps, o_.group, o_.latents);
}

ImageShape Pff::bind(ImageShape in, const Place& place, ParamStore& store) {
  store_ = &store, pixels_ = in.size();
  const int n = hidden_, c = labels_;
  const struct {
    Slice slice;
    const char* name;
    int rows, cols;
  } all[] = {
      {W1, "W1", pixels_, n},  {W2, "W2", n, n},        {V2, "V2", n, n},          {V, "V", c, n},
      {W, "W", n, c},          {B1, "b1", 1, n},        {B2, "b2", 1, n},          {B, "b", 1, c},
      {L1, "L1", n, o_.group}, {L2, "L2", n, o_.group}, {Gy, "Gy", o_.latents, n}, {G2, "G2", n, n},
      {G1, "G1", n, pixels_}};
  for (const auto& s : all) {
    ids_[s.slice] = store.add(place.name + "." + s.name, s.rows, s.cols);
    if (s.slice == B1 || s.slice == B2 || s.slice == B) store.param(ids_[s.slice]).decay = 0;
  }
  return {1, 1, labels_};
}

void Pff::init(Rng rng) {
  for (const Slice s : {W1, W2, V2, V, W, B1, B2}) {
    const Mat w = store_->value(ids_[s]);
    Rng draw = rng.fork("orthogonal", s);
    for (real& x : w.all())
      x = static_cast<real>(draw.normal());
    orthonormalise(w);  // a single row: a random unit vector, which the authors' biases are
  }
  for (const Slice s : {L1, L2, Gy, G2, G1}) {
    Rng draw = rng.fork("uniform", s);
    for (real& x : store_->value(ids_[s]).all())
      x = static_cast<real>(draw.uniform(0, 0.05));
  }
}

Macs Pff::drive(Sweep& s) const {
  const CMat x = std::as_const(s.normed).value();
  kernels::gemm(false, false, 1, x, weight(W1), 0, s.drive.resize(x.rows, hidden_), row(B1).data());
  const double work = product(x.rows, hidden_, pixels_);
  return {work, work};
}

void Pff::incoming(Signal& to) const {
  kernels::transpose(weight(W1), to.resize(hidden_, pixels_));
}

Macs Pff::sweep(CMat x, Sweep& s) const {
  normalise_rows(x, s.normed.resize(x.rows, pixels_));
  Macs macs = drive(s);
  const Mat z1 = s.z1.resize(x.rows, hidden_), z2 = s.z2.resize(x.rows, hidden_);
  const Mat up = s.bottom_up.resize(x.rows, hidden_);
  kernels::relu(std::as_const(s.drive).value().all(), z1.data);
  normalise_rows(z1, z2);
  kernels::gemm(false, false, 1, z2, weight(W2), 0, up);
  std::copy_n(up.data, up.size(), z2.data);
  kernels::add_row(z2, row(B2));
  kernels::relu(CMat(z2).all(), z2.data);
  const double work = product(x.rows, hidden_, hidden_);
  return macs += {work, work};
}

Macs Pff::read_out(CMat normed_z2, Mat logits) const {
  kernels::gemm(false, false, 1, normed_z2, weight(W), 0, logits, row(B).data());
  const double work = product(normed_z2.rows, hidden_, labels_);
  return {work, work};
}

void Pff::lateral_weights(int level, Signal& effective) const {
  const CMat raw = weight(level == 1 ? L1 : L2);
  const Mat out = effective.resize(hidden_, padded_group());
  const real strength = static_cast<real>(o_.lateral);
  std::ranges::fill(out.all(), real{0});
  for (int i = 0; i < hidden_; ++i)
    for (int j = 0; j < o_.group; ++j) {
      const real w = strength * std::max(raw.row(i)[j], real{0});
      out.row(i)[j] = j == i % o_.group ? -w : w;
    }
}

/// z -= old L for one state.
void Pff::compete(const real* old, CMat lateral, real* z) const {
  const int g = o_.group;
  for (int group = 0; group < hidden_; group += g)
    for (int first = 0; first < g; first += kMembers) {
      real sums[kMembers] = {};
      for (int unit = group; unit < group + g; ++unit) {
        const real active = old[unit];
        const real* effect = lateral.row(unit) + first;
#pragma omp simd
        for (int j = 0; j < kMembers; ++j)
          sums[j] += active * effect[j];
      }
      const int count = std::min(kMembers, g - first);
      for (int j = 0; j < count; ++j)
        z[group + first + j] -= sums[j];
    }
}

void Pff::label_drive(Signal& drive) const {
  const CMat v = weight(V);
  const Mat out = drive.resize(labels_, hidden_);
  const real strength = static_cast<real>(o_.label_strength);
  for (int c = 0; c < labels_; ++c)
    for (int j = 0; j < hidden_; ++j)
      out.row(c)[j] = strength * v.row(c)[j] + row(B2)[static_cast<std::size_t>(j)];
}

void Pff::advance(const Step& s) const {
  const int n = hidden_;
  const real keep = static_cast<real>(o_.memory), take = 1 - keep;
  const bool competes = o_.lateral > 0;
  for_rows(s.next.rows, [&](int i) {
    const int from = s.source ? s.source[i] : i;
    const real* product = s.product.row(from);
    const real* drive = s.drive.row(s.drive_row ? s.drive_row[i] : i);
    const real* old = s.previous.row(from);
    real* z = s.next.row(i);
#pragma omp simd
    for (int j = 0; j < n; ++j)
      z[j] = product[j] + drive[j];
    if (s.noise) {
      const real* noise = s.noise + static_cast<std::size_t>(i) * n;
#pragma omp simd
      for (int j = 0; j < n; ++j)
        z[j] += noise[j];
    }
    if (competes) compete(old, s.lateral, z);
    if (s.positive) {
      std::uint8_t* positive = s.positive + static_cast<std::size_t>(i) * n;
      for (int j = 0; j < n; ++j)
        positive[j] = z[j] > 0;
    }
    real sum = 0;
#pragma omp simd reduction(+ : sum)
    for (int j = 0; j < n; ++j) {
      z[j] = take * std::max(z[j], real{0}) + keep * old[j];
      sum += z[j] * z[j];
    }
    s.goodness[i] = sum;
  });
}

// All labels start from the same sweep, so its products serve the first step of all of them.
Macs Pff::score(const Signal& x, std::span<const std::uint8_t> outputs, Record& y, Trial& t) const {
  t.labels.clear();
  for (int c = 0; c < labels_; ++c)
    if (outputs.empty() || outputs[static_cast<std::size_t>(c)]) t.labels.push_back(c);
  const int rows = x.rows();
  std::ranges::fill(y.out.resize(rows, labels_).all(), std::numeric_limits<real>::lowest());
  y.saved.assign(static_cast<std::size_t>(rows) * labels_ * 2,
                 std::numeric_limits<real>::quiet_NaN());
  const int step = std::max(1, kStatesAtOnce / std::max<int>(1, static_cast<int>(t.labels.size())));
  Macs macs;
  for (int first = 0; first < rows; first += step) {
    const int count = std::min(step, rows - first);
    macs += sweep({x.value().row(first), count, x.cols()}, t.sweep);
    macs += try_labels(t, first, count, y);
  }
  return macs;
}

Macs Pff::forward(const Signal& x, Record& y, const Pass& pass) const {
  Trial trial;
  return score(x, pass.outputs, y, trial);
}

Macs Pff::try_labels(Trial& t, int first, int count, Record& y) const {
  auto& [start, lateral1, lateral2, by_label, normed, down, up, states_now, labels, image, label,
         goodness, sums] = t;
  const int candidates = static_cast<int>(labels.size()), states = count * candidates;
  const int lo = o_.window == PffWindow::All ? 0 : o_.steps / 2 - 1;
  const int end = o_.window == PffWindow::All         ? o_.steps
                  : o_.window == PffWindow::Inclusive ? std::min(o_.steps / 2 + 2, o_.steps)
                                                      : o_.steps / 2 + 1;
  image.resize(static_cast<std::size_t>(states)), label.resize(image.size());
  for (int i = 0; i < states; ++i) {
    image[static_cast<std::size_t>(i)] = i / candidates;
    label[static_cast<std::size_t>(i)] = labels[static_cast<std::size_t>(i % candidates)];
  }
  lateral_weights(1, lateral1), lateral_weights(2, lateral2), label_drive(by_label);
  goodness.resize(image.size() * 2), sums.assign(image.size() * 2, 0);
  double work = 0;
  for (int k = 0; k < end; ++k) {
    const bool shared = k == 0;  // one state per image
    const int now = k % 2, before = 1 - now, sources = shared ? count : states;
    const CMat z1 = shared ? start.z1.value() : std::as_const(states_now[before][0]).value();
    const CMat z2 = shared ? start.z2.value() : std::as_const(states_now[before][1]).value();
    const Mat u = normed.resize(sources, hidden_), top_down = down.resize(sources, hidden_);
    normalise_rows(z2, u);
    kernels::gemm(false, false, 1, u, weight(V2), 0, top_down);
    CMat bottom_up = start.bottom_up.value();
    if (!shared) {
      normalise_rows(z1, u);
      kernels::gemm(false, false, 1, u, weight(W2), 0, up.resize(sources, hidden_));
      bottom_up = std::as_const(up).value();
    }
    work += product(sources, hidden_, hidden_) * (shared ? 1 : 2);
    work += product(states, hidden_, o_.lateral > 0 ? 2 * o_.group : 0);
    const int* source = shared ? image.data() : nullptr;
    advance({top_down, start.drive.value(), z1, std::as_const(lateral1).value(), source,
             image.data(), nullptr, states_now[now][0].resize(states, hidden_), goodness.data(),
             nullptr});
    advance({bottom_up, std::as_const(by_label).value(), z2, std::as_const(lateral2).value(),
             source, label.data(), nullptr, states_now[now][1].resize(states, hidden_),
             goodness.data() + image.size(), nullptr});
    if (k < lo) continue;
    for (std::size_t i = 0; i < sums.size(); ++i)
      sums[i] += goodness[i];
  }
  // The authors divide the two steps of their window by three, which argmax does not see.
  const real divisor = static_cast<real>(o_.window == PffWindow::Repo ? 3 : end - lo);
  const real sign = o_.positive_goodness == PositiveGoodness::Low ? real{-0.5} : real{0.5};
  const Mat scores = y.out.value();
  for (int i = 0; i < states; ++i) {
    const auto at = static_cast<std::size_t>(i);
    const real g1 = sums[at], g2 = sums[at + image.size()];
    const int row = first + image[at];
    scores.row(row)[label[at]] = sign * (g1 + g2) / divisor;
    real* saved = y.saved.data() + (static_cast<std::size_t>(row) * labels_ + label[at]) * 2;
    saved[0] = g1 / static_cast<real>(end - lo), saved[1] = g2 / static_cast<real>(end - lo);
  }
  const double whole = product(states, hidden_, hidden_) * (2 + (o_.lateral > 0 ? 2 : 0)) * end +
                       product(states, hidden_, pixels_) * end;
  return {work, whole};
}

}  // namespace engram
