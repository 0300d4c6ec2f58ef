// Implementation of for_each_run (optimizer.h).
#pragma once

#include <algorithm>

#include "utils/parallel.h"

namespace engram {

template <class Dense, class Idle>
void for_each_run(ParamStore& params, Dense dense, Idle idle) {
  constexpr std::size_t kRun = 1 << 16;  // elements per task of the thread pool
  for (int id = 0; id < params.count(); ++id) {
    const Param& p = params.param(id);
    if (!p.trainable) continue;
    const auto cols = static_cast<std::size_t>(p.cols);
    const std::size_t rows_per_run = std::max<std::size_t>(1, kRun / cols);
    const std::size_t runs = (static_cast<std::size_t>(p.rows) + rows_per_run - 1) / rows_per_run;
    parallel_for(static_cast<int>(runs), [&](int run) {
      const std::size_t first = static_cast<std::size_t>(run) * rows_per_run;
      const std::size_t last = std::min(first + rows_per_run, static_cast<std::size_t>(p.rows));
      for (std::size_t row = first, end; row < last; row = end) {
        const bool touched = p.touched.contains(static_cast<int>(row));
        for (end = row + 1; end < last && p.touched.contains(static_cast<int>(end)) == touched;)
          ++end;
        const std::size_t begin = p.offset + row * cols, count = (end - row) * cols;
        if (touched)
          dense(begin, count);
        else
          idle(begin, count);
      }
    });
  }
}

}  // namespace engram
