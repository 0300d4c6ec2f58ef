// Powers of numbers that are not negative, many at a time.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>

namespace engram {

/// u^n for a fixed n: by multiplication where n is a whole number up to 64, with a square root
/// where it is half of an odd one, else by std::pow. Relative error of a few roundings.
class Power {
 public:
  explicit Power(double n) : n_(n) {
    const double twice = 2 * n;
    multiplies_ = n >= 0 && n <= 64 && twice == std::floor(twice);
    if (multiplies_) whole_ = static_cast<int>(n), root_ = n != std::floor(n);
  }
  double exponent() const { return n_; }

  /// y[i] <- u[i]^n. `y` may be u. T is float or double; u[i] >= 0.
  template <class T>
  void raise(std::span<const T> u, T* y) const {
    if (!multiplies_) {
      for (std::size_t i = 0; i < u.size(); ++i)
        y[i] = std::pow(u[i], static_cast<T>(n_));
      return;
    }
    for (std::size_t begin = 0; begin < u.size(); begin += kBlock)
      multiply(u.data() + begin, std::min(kBlock, u.size() - begin), y + begin);
  }
  double of(double u) const {
    double y = 0;
    raise(std::span<const double>(&u, 1), &y);
    return y;
  }

 private:
  static constexpr std::size_t kBlock = 256;

  /// By squaring, a block at a time, so that the loops over elements are the inner ones.
  template <class T>
  void multiply(const T* u, std::size_t count, T* y) const {
    T square[kBlock];
    std::copy_n(u, count, square);
#pragma omp simd
    for (std::size_t i = 0; i < count; ++i)
      y[i] = root_ ? std::sqrt(square[i]) : T{1};
    for (int rest = whole_; rest > 0; rest /= 2) {
      if (rest % 2 == 1) {
#pragma omp simd
        for (std::size_t i = 0; i < count; ++i)
          y[i] *= square[i];
      }
#pragma omp simd
      for (std::size_t i = 0; i < count; ++i)
        square[i] *= square[i];
    }
  }

  double n_;
  bool multiplies_ = false, root_ = false;
  int whole_ = 0;
};

}  // namespace engram
