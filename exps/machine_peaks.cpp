#include "exps/machine_peaks.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <unistd.h>
#include <vector>

#include <fmt/format.h>

#include "utils/error.h"
#include "utils/kernels.h"
#include "utils/parallel.h"
#include "utils/rng.h"

namespace engram {
namespace {

using Clock = std::chrono::steady_clock;

struct Product {
  int rows, inner, cols;
};
// A square one that any BLAS is tuned for, and the two that dense layers of the suite ask for.
constexpr Product kProducts[] = {{1024, 1024, 1024}, {128, 784, 4000}, {256, 2000, 2000}};

constexpr int kLeastChecks = 8, kLongestSide = 200;
constexpr std::size_t kMega = 1 << 20;
constexpr std::size_t kTile = kMega;  // numbers of an array that one thread takes at a time

double since(Clock::time_point t) {
  return std::chrono::duration<double>(Clock::now() - t).count();
}
bool stopped(const std::atomic<bool>* stop) {
  return stop && stop->load();
}

/// The shortest time of one call, over about `seconds` and at least three calls.
template <class Work>
double best_seconds(double seconds, const std::atomic<bool>* stop, Work work) {
  double best = std::numeric_limits<double>::infinity();
  const auto opened = Clock::now();
  for (int i = 0; i < 3 || since(opened) < seconds; ++i) {
    const auto begin = Clock::now();
    work();
    best = std::min(best, since(begin));
    if (stopped(stop)) break;
  }
  return best;
}

std::vector<real> random_values(std::size_t count, Rng rng) {
  std::vector<real> out(count);
  for (real& v : out)
    v = static_cast<real>(rng.uniform(-1, 1));
  return out;
}

double gemm_gflops(double seconds, const std::atomic<bool>* stop) {
  double best = 0;
  for (const auto& [rows, inner, cols] : kProducts) {
    const auto size = [](int a, int b) {
      return static_cast<std::size_t>(a) * static_cast<std::size_t>(b);
    };
    const auto a = random_values(size(rows, inner), Rng(1));
    const auto b = random_values(size(cols, inner), Rng(2));
    std::vector<real> c(size(rows, cols));
    for (const bool transposed : {false, true}) {
      const double t = best_seconds(
          seconds / (2 * std::size(kProducts)), stop, [&, m = rows, k = inner, n = cols] {
            const CMat right = transposed ? CMat{b.data(), n, k} : CMat{b.data(), k, n};
            kernels::gemm(false, transposed, 1, {a.data(), m, k}, right, 0, {c.data(), m, n});
          });
      best = std::max(best, 2e-9 * rows * inner * cols / t);
    }
  }
  return best;
}

/// Numbers per array so that two arrays exceed the last cache by far, within reason: a virtual
/// machine may report the cache of its whole host.
std::size_t array_length() {
  const auto positive = [](long value) { return static_cast<std::size_t>(std::max(0L, value)); };
  const std::size_t memory =
      positive(::sysconf(_SC_PHYS_PAGES)) * positive(::sysconf(_SC_PAGESIZE));
  std::size_t bytes = 2 * positive(::sysconf(_SC_LEVEL3_CACHE_SIZE));
  bytes = std::clamp(bytes, 128 * kMega, 512 * kMega);
  bytes = std::min(bytes, std::max(16 * kMega, memory / 16));
  return bytes / sizeof(real);
}

/// The triad in place: each number of x is read, each of y read and written, so that what moves is
/// what is counted (a triad into a third array also reads what it overwrites).
double bandwidth_gb_s(std::vector<real>& x, std::vector<real>& y, double seconds,
                      const std::atomic<bool>* stop) {
  const std::size_t n = x.size();
  const auto tiles = static_cast<int>((n + kTile - 1) / kTile);
  const double t = best_seconds(seconds, stop, [&] {
    parallel_for(tiles, [&](int tile) {
      const std::size_t begin = static_cast<std::size_t>(tile) * kTile;
      kernels::axpy(real(0.5), {x.data() + begin, std::min(kTile, n - begin)}, y.data() + begin);
    });
  });
  return 1e-9 * 3 * sizeof(real) * static_cast<double>(n) / t;
}

/// How far kernels::gemm is off at most, in units of what rounding may explain.
double gemm_error(bool transpose_a, bool transpose_b, const Product& p, Rng rng) {
  const auto [rows, inner, cols] = p;
  const auto m = static_cast<std::size_t>(rows), k = static_cast<std::size_t>(inner),
             n = static_cast<std::size_t>(cols);
  const auto a = random_values(m * k, rng.fork("a")), b = random_values(k * n, rng.fork("b"));
  const auto before = random_values(m * n, rng.fork("c"));
  auto c = before;
  const real alpha = real(1.5), beta = real(0.5);
  kernels::gemm(transpose_a, transpose_b, alpha,
                transpose_a ? CMat(a.data(), inner, rows) : CMat(a.data(), rows, inner),
                transpose_b ? CMat(b.data(), cols, inner) : CMat(b.data(), inner, cols), beta,
                {c.data(), rows, cols});
  double worst = 0;
  for (std::size_t i = 0; i < m; ++i)
    for (std::size_t j = 0; j < n; ++j) {
      double sum = beta * static_cast<double>(before[i * n + j]), magnitude = std::abs(sum);
      for (std::size_t l = 0; l < k; ++l) {
        const double x = transpose_a ? a[l * m + i] : a[i * k + l];
        const double y = transpose_b ? b[j * k + l] : b[l * n + j];
        sum += alpha * x * y, magnitude += std::abs(alpha * x * y);
      }
      const double allowed = static_cast<double>(k + 3) * magnitude *
                             static_cast<double>(std::numeric_limits<real>::epsilon());
      const double error = std::abs(static_cast<double>(c[i * n + j]) - sum) / allowed;
      worst = std::isnan(error) ? std::numeric_limits<double>::infinity() : std::max(worst, error);
    }
  return worst;
}

}  // namespace

MachinePeaks measure_peaks(int threads, double seconds, const std::atomic<bool>* stop) {
  MachinePeaks peaks;
  const double share = seconds / (threads > 1 ? 4 : 2);
  set_threads(1);
  peaks.gemm_gflops_one = peaks.gemm_gflops = gemm_gflops(share, stop);
  std::vector<real> x(array_length(), real(1)), y(x);
  peaks.bandwidth_gb_s_one = peaks.bandwidth_gb_s = bandwidth_gb_s(x, y, share, stop);
  if (threads > 1) {
    set_threads(threads);
    peaks.bandwidth_gb_s = std::max(peaks.bandwidth_gb_s, bandwidth_gb_s(x, y, share, stop));
    peaks.gemm_gflops = std::max(peaks.gemm_gflops, gemm_gflops(share, stop));
  }
  return peaks;
}

void check_gemm(double seconds, const std::atomic<bool>* stop) {
  Rng rng = Rng(1).fork("bench check");
  const auto side = [&] { return 1 + static_cast<int>(rng.below(kLongestSide)); };
  const auto opened = Clock::now();
  for (int i = 0; i < kLeastChecks || (since(opened) < seconds && !stopped(stop)); ++i) {
    const Product p{side(), side(), side()};
    const bool transpose_a = i & 1, transpose_b = i & 2;
    if (gemm_error(transpose_a, transpose_b, p, rng.fork("case", static_cast<std::uint64_t>(i))) <=
        1)
      continue;
    throw Error(Fault::Internal,
                fmt::format("bench: the BLAS multiplies {}x{} by {}x{} wrongly (core {}); set "
                            "OPENBLAS_CORETYPE=Haswell, or install another BLAS",
                            p.rows, p.inner, p.inner, p.cols, kernels::blas_core()));
  }
}

}  // namespace engram
