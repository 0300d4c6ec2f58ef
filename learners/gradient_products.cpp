#include "learners/gradient_products.h"

#include <vector>

#include "utils/error.h"
#include "utils/parallel.h"

namespace engram {

double inner_product(std::span<const real> a, std::span<const real> b) {
  ENGRAM_INVARIANT(a.size() == b.size());
  constexpr std::size_t kBlock = 1 << 15;
  std::vector<double> sums((a.size() + kBlock - 1) / kBlock);
  parallel_for(static_cast<int>(sums.size()), [&](int block) {
    const std::size_t begin = static_cast<std::size_t>(block) * kBlock;
    const std::size_t end = std::min(a.size(), begin + kBlock);
    double sum = 0;
#pragma omp simd reduction(+ : sum)
    for (std::size_t i = begin; i < end; ++i)
      sum += static_cast<double>(a[i]) * static_cast<double>(b[i]);
    sums[static_cast<std::size_t>(block)] = sum;
  });
  double all = 0;
  for (const double sum : sums)
    all += sum;
  return all;
}

}  // namespace engram
