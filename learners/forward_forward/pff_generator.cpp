#include "learners/forward_forward/pff_generator.h"

#include <algorithm>
#include <cmath>

#include "learners/forward_forward/slice_gradients.h"
#include "utils/elementwise.h"
#include "utils/kernels.h"
#include "utils/parallel.h"

namespace engram {
namespace {}  // namespace

void PffGenerator::start(const Pff& net, int rows, Rng rng) {
  const Mat code = code_.resize(rows, net.latents());
  std::ranges::fill(code.all(), real{0});
  first_ = true;
  if (o_.code_mode != CodeMode::Stable) return;
  Rng draw = rng.fork("code");
  for (real& z : code.all())
    z = static_cast<real>(draw.uniform(0, 0.01));
}

/// r <- norm(relu(z + noise)).
void PffGenerator::predictor(CMat z, double noise, Rng rng, Signal& r) {
  const Mat to = r.resize(z.rows, z.cols);
  if (noise > 0)
    rng.normals(noise, to.all());
  else
    std::ranges::fill(to.all(), real{0});
  for_rows(z.rows, [&](int i) {
    const real* from = z.row(i);
    real* out = to.row(i);
#pragma omp simd
    for (int j = 0; j < z.cols; ++j)
      out[j] = std::max(from[j] + out[j], real{0});
  });
  normalise_rows(to, to);
}

// The authors' relu lets every error through; the true one only where the prediction is above 0.
double PffGenerator::level_loss(Signal& error, CMat target, double scale) const {
  const Mat e = error.value();
  const bool gate = o_.relu_gradient == ReluGradient::True;
  double sum = 0;
  for (int i = 0; i < e.rows; ++i) {
    real* row = e.row(i);
    const real* aim = target.row(i);
    real squares = 0;
#pragma omp simd reduction(+ : squares)
    for (int j = 0; j < e.cols; ++j) {
      const real predicted = std::max(row[j], real{0}), off = predicted - aim[j];
      squares += off * off;
      row[j] = gate && row[j] <= 0 ? real{0} : off;
    }
    sum += static_cast<double>(squares);
  }
  return sum * scale;
}

double PffGenerator::learn(Pff& net, ParamStore& store, CMat x, std::span<const int> image, CMat z1,
                           CMat z2, Rng noise, Macs& macs) {
  const int rows = z1.rows, n = net.hidden(), d = net.pixels();
  const double per_row = 1. / rows;
  const real scale = static_cast<real>(2 * per_row);
  predictor(z1, o_.generative_noise, noise.fork("level", 1), r1_);
  predictor(z2, o_.generative_noise, noise.fork("level", 2), r2_);

  const Mat e0 = e0_.resize(rows, d);
  kernels::gemm(false, false, 1, r1_.value(), net.weight(Pff::G1), 0, e0);
  squares_.resize(static_cast<std::size_t>(rows));
  for_rows(rows, [&](int i) {
    real* row = e0.row(i);
    const real* aim = x.row(image[static_cast<std::size_t>(i)]);
    real sum = 0;
#pragma omp simd reduction(+ : sum)
    for (int j = 0; j < d; ++j) {
      const real a = row[j], off = std::min(std::max(a, real{0}), real{1}) - aim[j];
      sum += off * off;
      row[j] = a >= 0 && a <= 1 ? off : real{0};
    }
    squares_[static_cast<std::size_t>(i)] = static_cast<double>(sum);
  });
  image_error_ = 0;
  for (const double s : squares_)
    image_error_ += s * per_row;
  add_product(store, net.id(Pff::G1), scale, r1_.value(), e0);

  const Mat e1 = e1_.resize(rows, n);
  kernels::gemm(false, false, 1, r2_.value(), net.weight(Pff::G2), 0, e1);
  const double loss1 = level_loss(e1_, z1, per_row);
  add_product(store, net.id(Pff::G2), scale, r2_.value(), e1);

  const Mat u = top_.resize(rows, net.latents()), e2 = e2_.resize(rows, n);
  kernels::relu(CMat(code_.value()).all(), u.data);
  normalise_rows(u, u);
  kernels::gemm(false, false, 1, u, net.weight(Pff::Gy), 0, e2);
  const double loss2 = level_loss(e2_, z2, per_row);
  add_product(store, net.id(Pff::Gy), scale, u, e2);
  for (const Pff::Slice s : {Pff::G1, Pff::G2, Pff::Gy})
    add_norm_decay(store, net.id(s), o_.generative_norm_decay);

  move_code(net, e2, z2, first_);
  first_ = false;
  const double work = static_cast<double>(rows) * n * (2. * d + 2. * n + 3. * net.latents());
  macs += {work, work};
  return image_error_ + loss1 + loss2;
}

// With the code at 0 the norm's derivative is 1e8, so the authors' first step makes a code of 1e5
// and more along z2 Gy^T; from there the gradient is too small to move it in single precision.
void PffGenerator::move_code(const Pff& net, CMat e2, CMat z2, bool first) {
  const Mat code = code_.value(), q = step_.resize(code.rows, code.cols);
  if (o_.code_mode == CodeMode::ClosedForm) {
    if (first) kernels::gemm(false, true, 1, z2, net.weight(Pff::Gy), 0, code);
    return;
  }
  const bool stable = o_.code_mode == CodeMode::Stable;
  kernels::gemm(false, true, static_cast<real>(stable ? 2. : 2. / code.rows), e2,
                net.weight(Pff::Gy), 0, q);
  const real beta = static_cast<real>(o_.code_step);
  for (int i = 0; i < code.rows; ++i) {
    real* z = code.row(i);
    real* dz = q.row(i);
    real squares = 0, along = 0;
    for (int j = 0; j < code.cols; ++j) {
      const real active = std::max(z[j], real{0});
      squares += active * active, along += dz[j] * active;
    }
    const real s = std::sqrt(squares), w = s + static_cast<real>(1e-8);
    for (int j = 0; j < code.cols; ++j) {
      real step = dz[j] / w;
      if (s > 0) step -= std::max(z[j], real{0}) * along / (s * w * w);
      if (o_.relu_gradient == ReluGradient::True && z[j] < 0) step = 0;
      if (stable) step = std::clamp(step, real{-1}, real{1});
      dz[j] = step;
    }
    for (int j = 0; j < code.cols; ++j)
      z[j] -= beta * dz[j];
  }
}

}  // namespace engram
