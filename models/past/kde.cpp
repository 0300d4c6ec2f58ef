// A layer's input disturbed by a sample from a Gaussian kernel density estimate over past
// activations (D2BL). To sample such an estimate is to pick one of its points and to add normal
// noise; no density is ever computed. No error reaches the past, which is a constant here.
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "models/past/past.h"
#include "utils/error.h"
#include "utils/parallel.h"
#include "utils/scratch.h"

namespace engram {
namespace {

class Kde final : public Layer {
 public:
  explicit Kde(const KdeOptions& options) : o_(options) {}
  std::string kind() const override { return "kde"; }
  std::string describe() const override {
    return fmt::format("kde of {} points, {}, bandwidth {}, drawn by {}", name_of(o_.points),
                       name_of(o_.use), o_.bandwidth, name_of(o_.draw));
  }
  bool errors_reach_input() const override { return o_.use != KdeUse::Replace; }

  ImageShape bind(ImageShape in, const Place& place, ParamStore&) override {
    ENGRAM_INVARIANT(!place.past.empty());
    index_ = static_cast<std::uint64_t>(place.index);
    for (const ImageShape& past : place.past)
      if (o_.points != KdePoints::Single && past.size() != in.size())
        throw Error(Fault::Config,
                    fmt::format("{}: a sample of layers with {} features cannot meet an input of "
                                "{}; use hidden layers of one width, or kde.points = single",
                                place.name, past.size(), in.size()));
    return in;
  }

  /// saved = w.
  Macs forward(const Signal& x, Record& y, const Pass& pass) const override {
    const CMat in = x.value();
    y.saved.resize(in.size());
    const Mat w{y.saved.data(), in.rows, in.cols};
    const bool random = pass.training || o_.stochastic_eval;
    const Rng rng = pass.rng.fork("kde", index_);
    if (o_.draw == KdeDraw::Scalar)
      std::fill_n(w.data, w.size(), random ? scalar(rng) : static_cast<real>((kLow + kHigh) / 2));
    else if (!random)
      means(y.past, w, nullptr);
    else if (o_.draw == KdeDraw::Gaussian)
      draw_gaussian(y.past, rng, w);
    else
      draw_points(y.past, rng, w);
    const Mat out = y.out.resize(in.rows, in.cols);
    for_rows(in.rows, [&](int b) {
      const real *const from = in.row(b), *const drawn = w.row(b);
      real* const to = out.row(b);
      switch (o_.use) {
        case KdeUse::Shift:
#pragma omp simd
          for (int j = 0; j < in.cols; ++j)
            to[j] = from[j] + drawn[j];
          break;
        case KdeUse::Scale:
#pragma omp simd
          for (int j = 0; j < in.cols; ++j)
            to[j] = from[j] * drawn[j];
          break;
        case KdeUse::Replace:
          std::copy_n(drawn, in.cols, to);
      }
    });
    return {};
  }

  Macs backward_input(const Signal&, const Record& y, const Signal& dy, Signal& dx, const Pass&,
                      const Descent&) const override {
    const CMat error = dy.value();
    const Mat out = dx.resize(error.rows, error.cols);
    for_rows(error.rows, [&](int b) {
      const real* const above = error.row(b);
      const real* const w = y.saved.data() + static_cast<std::size_t>(b) * out.cols;
      real* const to = out.row(b);
      for (int j = 0; j < out.cols; ++j)
        to[j] = o_.use == KdeUse::Shift ? above[j] : o_.use == KdeUse::Scale ? above[j] * w[j] : 0;
    });
    return {};
  }

 private:
  using Past = std::vector<const Signal*>;
  static constexpr double kLow = 0.99, kHigh = 1.09;  ///< of KdeDraw::Scalar

  static real scalar(Rng rng) {
    return static_cast<real>(rng.uniform(kLow, kHigh));
  }

  /// Uniform from [0, n) by the high bits of a word; n is far below 2^32, so the bias is too.
  static std::uint32_t below(std::uint32_t word, std::size_t n) {
    return static_cast<std::uint32_t>((std::uint64_t{word} * n) >> 32);
  }

  /// w <- h times normal numbers plus points picked at random.
  void draw_points(const Past& past, const Rng& rng, Mat w) const {
    thread_local std::vector<std::uint32_t> picks;
    const bool one_a_row = o_.points == KdePoints::Feature;
    const std::size_t count = one_a_row ? static_cast<std::size_t>(w.rows) : w.size();
    picks.resize((count + 3) / 4 * 4);
    rng.fork("pick").words(0, picks.size() / 4, picks.data());
    rng.fork("kernel").normals(o_.bandwidth, w.all());
    const std::uint32_t* const pick = picks.data();
    for_rows(w.rows, [&](int b) {
      real* const to = w.row(b);
      const std::size_t first = static_cast<std::size_t>(b) * (one_a_row ? 1 : w.cols);
      if (one_a_row) {
        const real* const point = past[below(pick[first], past.size())]->value().row(b);
        for (int j = 0; j < w.cols; ++j)
          to[j] += point[j];
      } else if (o_.points == KdePoints::FeatureIndep) {
        for (int j = 0; j < w.cols; ++j)
          to[j] += past[below(pick[first + static_cast<std::size_t>(j)], past.size())]->value().row(
              b)[j];
      } else {
        const std::size_t points = points_of(past);
        for (int j = 0; j < w.cols; ++j)
          to[j] += point_of(past, b, below(pick[first + static_cast<std::size_t>(j)], points));
      }
    });
  }

  /// w <- normal numbers with the mean and the variance of the estimate.
  void draw_gaussian(const Past& past, const Rng& rng, Mat w) const {
    thread_local Scratch memory;
    const Mat noise = memory.matrix(2 * w.rows, w.cols);
    const Mat variance{noise.row(w.rows), w.rows, w.cols};
    rng.fork("kernel").normals(1, std::span(noise.data, w.size()));
    means(past, w, &variance);
    const auto kernel = static_cast<real>(o_.bandwidth * o_.bandwidth);
    for (std::size_t i = 0; i < w.size(); ++i)
      w.data[i] += noise.data[i] * std::sqrt(variance.data[i] + kernel);
  }

  /// mean, variance [rows, cols] <- of the points that an entry may be drawn from.
  void means(const Past& past, Mat mean, const Mat* variance) const {
    for_rows(mean.rows, [&](int b) {
      real* const m = mean.row(b);
      real* const v = variance ? variance->row(b) : nullptr;
      if (o_.points == KdePoints::Single) {
        const auto [all, spread] = moments(points_of(past), [&](std::size_t i) {
          return static_cast<double>(point_of(past, b, i));
        });
        std::fill_n(m, mean.cols, static_cast<real>(all));
        if (v) std::fill_n(v, mean.cols, static_cast<real>(spread));
        return;
      }
      for (int j = 0; j < mean.cols; ++j) {
        const auto [all, spread] = moments(past.size(), [&](std::size_t l) {
          return static_cast<double>(past[l]->value().row(b)[j]);
        });
        m[j] = static_cast<real>(all);
        if (v) v[j] = static_cast<real>(spread);
      }
    });
  }

  struct Moments {
    double mean, variance;
  };
  template <class Value>
  static Moments moments(std::size_t n, Value value) {
    double sum = 0, squares = 0;
    for (std::size_t i = 0; i < n; ++i)
      sum += value(i);
    const double mean = sum / static_cast<double>(n);
    for (std::size_t i = 0; i < n; ++i)
      squares += (value(i) - mean) * (value(i) - mean);
    return {mean, squares / static_cast<double>(n)};
  }

  // KdePoints::Single: all remembered activations of an example, layer after layer.
  static std::size_t points_of(const Past& past) {
    std::size_t all = 0;
    for (const Signal* p : past)
      all += static_cast<std::size_t>(p->cols());
    return all;
  }
  static real point_of(const Past& past, int b, std::size_t i) {
    for (const Signal* p : past) {
      const auto here = static_cast<std::size_t>(p->cols());
      if (i < here) return p->value().row(b)[i];
      i -= here;
    }
    broken_invariant("the point is one of them");
  }

  KdeOptions o_;
  std::uint64_t index_ = 0;
};

}  // namespace

LayerPtr kde(const KdeOptions& options) {
  return std::make_unique<Kde>(options);
}

}  // namespace engram
