// Pseudo-attention (D2BL): features attend to features, and what a map contracts over are the
// layers that are remembered. With Q, K [places, n] of an example, x [n] and noise T_h on the map,
//   S = Qᵀ K / tau,   P_h = softmax over each row of T_h(S),   y = [P_1 x, ..., P_H x].
// Heads share Q, K and x, so that without noise they are one map, computed once; independent ones
// have a part of the features each.
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "models/past/map_noise.h"
#include "models/past/past.h"
#include "utils/error.h"
#include "utils/exponentials.h"
#include "utils/parallel.h"
#include "utils/scratch.h"

namespace engram {
namespace {

class PseudoAttention final : public Layer {
 public:
  explicit PseudoAttention(const AttentionOptions& options) : o_(options) {}
  std::string kind() const override { return "attention"; }
  std::string describe() const override {
    std::string text =
        fmt::format("pseudo-attention, {} {}heads, tau {:.4g}", o_.heads,
                    o_.independent_heads ? "independent " : "", static_cast<double>(tau_));
    if (o_.noise == MapNoise::CrossoverMutation)
      text += fmt::format(", mutation {}, crossover {} ({})", o_.mutation, o_.crossover,
                          name_of(o_.semantics));
    return text;
  }
  bool errors_reach_past() const override { return true; }

  ImageShape bind(ImageShape in, const Place& place, ParamStore&) override {
    ENGRAM_INVARIANT(place.past.size() == 2 && place.past[0] == place.past[1]);
    const int groups = o_.independent_heads ? o_.heads : 1;
    if (place.past[0].channels != in.size() || in.size() % groups != 0)
      throw Error(Fault::Config,
                  fmt::format("{}: queries and keys of {} features for {} values in {} groups",
                              place.name, place.past[0].channels, in.size(), groups));
    index_ = static_cast<std::uint64_t>(place.index);
    places_ = place.past[0].height * place.past[0].width;
    n_ = in.size() / groups;
    tau_ = static_cast<real>(o_.tau.value_or(std::sqrt(n_)));
    return {1, 1, o_.heads * n_};
  }

  /// saved = P, a map after the other: [batch, maps, n, n].
  Macs forward(const Signal& x, Record& y, const Pass& pass) const override {
    const int maps = maps_of(pass), rows = x.rows();
    const Mat out = y.out.resize(rows, o_.heads * n_);
    y.saved.resize(static_cast<std::size_t>(rows) * maps * area());
    const PassNoise noise = noise_of(pass);
    parallel_for(rows, [&](int b) {
      for (int h = 0; h < maps; ++h) {
        const Mat p = map_of(y.saved, b, maps, h);
        correlate(y.past[0]->value().row(b), y.past[1]->value().row(b), h, p);
        if (noisy(pass)) noise.apply(b, h, p);
        const real* const v = x.value().row(b) + part(h);
        real* const o = out.row(b) + static_cast<std::ptrdiff_t>(h) * n_;
        for (int i = 0; i < n_; ++i) {
          real* const row = p.row(i);
          kernels::softmax({row, static_cast<std::size_t>(n_)}, row);
          o[i] = dot(row, v);
        }
      }
      for (int h = maps; h < o_.heads; ++h)
        std::copy_n(out.row(b), n_, out.row(b) + static_cast<std::ptrdiff_t>(h) * n_);
    });
    return products(rows, maps, places_ + 1);
  }

  /// dx = sum over heads of P_hᵀ dy_h.
  Macs backward_input(const Signal& x, const Record& y, const Signal& dy, Signal& dx,
                      const Pass& pass, const Descent&) const override {
    const int maps = maps_of(pass);
    const Mat out = dx.resize(x.rows(), x.cols());
    parallel_for(x.rows(), [&](int b) {
      real* const to = out.row(b);
      std::fill_n(to, out.cols, real{0});
      for (int h = 0; h < maps; ++h) {
        const CMat p = map_of(y.saved, b, maps, h);
        const real* const error = error_of(dy, b, maps, h);
        real* const v = to + part(h);
        for (int i = 0; i < n_; ++i) {
          const real e = error[i];
          const real* const row = p.row(i);
#pragma omp simd
          for (int j = 0; j < n_; ++j)
            v[j] += e * row[j];
        }
      }
    });
    return products(x.rows(), maps, 1);
  }

  /// dS_ij = P_ij dy_i (x_j - y_i), then through the noise, then dQ = dS K / tau and so on.
  Macs backward_past(const Signal& x, const Record& y, const Signal& dy, std::span<Signal> to,
                     const Pass& pass) const override {
    const int maps = maps_of(pass);
    const Mat dq = to[0].resize(x.rows(), y.past[0]->cols());
    const Mat dk = to[1].resize(x.rows(), y.past[1]->cols());
    const PassNoise noise = noise_of(pass);
    parallel_for(x.rows(), [&](int b) {
      thread_local Scratch memory;
      const Mat ds = memory.matrix(n_, n_);
      std::fill_n(dq.row(b), dq.cols, real{0});
      std::fill_n(dk.row(b), dk.cols, real{0});
      for (int h = 0; h < maps; ++h) {
        const CMat p = map_of(y.saved, b, maps, h);
        const real* const error = error_of(dy, b, maps, h);
        const real* const v = x.value().row(b) + part(h);
        const real* const o = y.out.value().row(b) + static_cast<std::ptrdiff_t>(h) * n_;
        for (int i = 0; i < n_; ++i) {
          const real e = error[i], mean = o[i];
          const real* const row = p.row(i);
          real* const d = ds.row(i);
#pragma omp simd
          for (int j = 0; j < n_; ++j)
            d[j] = row[j] * e * (v[j] - mean);
        }
        if (noisy(pass)) noise.apply_adjoint(b, h, ds);
        uncorrelate(ds, y.past[0]->value().row(b), y.past[1]->value().row(b), h, dq.row(b),
                    dk.row(b));
      }
    });
    return products(x.rows(), maps, 2 * places_);
  }

 private:
  bool noisy(const Pass& pass) const {
    return o_.noise == MapNoise::CrossoverMutation && (pass.training || o_.stochastic_eval);
  }
  /// Heads are computed apart only where they differ.
  int maps_of(const Pass& pass) const {
    return noisy(pass) || o_.independent_heads ? o_.heads : 1;
  }
  PassNoise noise_of(const Pass& pass) const {
    return {o_, pass.rng.fork("map_noise", index_), o_.heads, n_};
  }
  std::size_t area() const {
    return static_cast<std::size_t>(n_) * static_cast<std::size_t>(n_);
  }
  /// Where the features of head h begin among those of a place.
  std::ptrdiff_t part(int h) const {
    return o_.independent_heads ? static_cast<std::ptrdiff_t>(h) * n_ : 0;
  }
  int features() const {
    return o_.independent_heads ? o_.heads * n_ : n_;
  }
  std::size_t map_at(int b, int maps, int h) const {
    return static_cast<std::size_t>(b * maps + h) * area();
  }
  Mat map_of(std::vector<real>& all, int b, int maps, int h) const {
    return {all.data() + map_at(b, maps, h), n_, n_};
  }
  CMat map_of(const std::vector<real>& all, int b, int maps, int h) const {
    return {all.data() + map_at(b, maps, h), n_, n_};
  }
  Macs products(int rows, int maps, int passes) const {
    const double each = static_cast<double>(rows) * passes * static_cast<double>(area());
    return {each * maps, each * o_.heads};
  }
  real dot(const real* a, const real* b) const {
    real sum = 0;
#pragma omp simd reduction(+ : sum)
    for (int i = 0; i < n_; ++i)
      sum += a[i] * b[i];
    return sum;
  }

  /// s <- Qᵀ K / tau.
  void correlate(const real* q, const real* k, int h, Mat s) const {
    std::fill_n(s.data, s.size(), real{0});
    for (int l = 0; l < places_; ++l) {
      const std::ptrdiff_t at = static_cast<std::ptrdiff_t>(l) * features() + part(h);
      const real* const key = k + at;
      for (int i = 0; i < n_; ++i) {
        const real query = q[at + i] / tau_;
        real* const row = s.row(i);
#pragma omp simd
        for (int j = 0; j < n_; ++j)
          row[j] += query * key[j];
      }
    }
  }
  /// dq += ds K / tau, dk += dsᵀ Q / tau.
  void uncorrelate(CMat ds, const real* q, const real* k, int h, real* dq, real* dk) const {
    for (int l = 0; l < places_; ++l) {
      const std::ptrdiff_t at = static_cast<std::ptrdiff_t>(l) * features() + part(h);
      const real* const key = k + at;
      real* const to_key = dk + at;
      for (int i = 0; i < n_; ++i) {
        const real query = q[at + i] / tau_;
        const real* const row = ds.row(i);
        dq[at + i] += dot(row, key) / tau_;
#pragma omp simd
        for (int j = 0; j < n_; ++j)
          to_key[j] += query * row[j];
      }
    }
  }
  /// The error at head h of example b; when one map serves all heads, at all of them together.
  const real* error_of(const Signal& dy, int b, int maps, int h) const {
    const real* const row = dy.value().row(b);
    if (maps == o_.heads) return row + static_cast<std::ptrdiff_t>(h) * n_;
    thread_local Scratch memory;
    real* const sum = memory.get(static_cast<std::size_t>(n_));
    std::copy_n(row, n_, sum);
    for (int other = 1; other < o_.heads; ++other)
      for (int i = 0; i < n_; ++i)
        sum[i] += row[static_cast<std::ptrdiff_t>(other) * n_ + i];
    return sum;
  }

  AttentionOptions o_;
  std::uint64_t index_ = 0;
  int places_ = 1, n_ = 1;
  real tau_ = 1;
};

}  // namespace

LayerPtr pseudo_attention(const AttentionOptions& options) {
  return std::make_unique<PseudoAttention>(options);
}

}  // namespace engram
