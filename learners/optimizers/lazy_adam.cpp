// Adam that moves only rows with a gradient, as SparseAdam of PyTorch and LazyAdam of TensorFlow:
// the moments and weights of other rows stand still, so a step costs what was touched. Not Adam: a
// row that is rarely active keeps old moments. The bias correction counts all steps.
#include "learners/optimizers/adam_moments.h"

namespace engram {
namespace {

class LazyAdam final : public AdamMoments {
 public:
  using AdamMoments::AdamMoments;

  void move(double lr) override {
    count_step();
    for (int id = 0; id < params_.count(); ++id) {
      const Param& p = params_.param(id);
      if (!p.trainable || p.form == GradientForm::Zero) continue;
      const AdamStep update = step_of(p, lr);
      if (p.form == GradientForm::Full || p.block.all_rows) {
        params_.note_changes(id);
        for_each_run(params_, id, [&](std::size_t begin, std::size_t count, const real* g) {
          update(*this, begin, count, g);
        });
        continue;
      }
      params_.note_changes(id, p.block.rows);
      constexpr int kRows = 16;
      const int rows = static_cast<int>(p.block.rows.size());
      parallel_for((rows + kRows - 1) / kRows, [&](int run) {
        const auto step = [&](std::size_t begin, std::size_t count, const real* g) {
          if (g) update(*this, begin, count, g);
        };
        const int last = std::min(rows, (run + 1) * kRows) - 1;
        for_each_run_of_block(p, p.block.rows[run * kRows], p.block.rows[last] + 1, step);
      });
    }
  }
};

}  // namespace

std::unique_ptr<Optimizer> make_lazy_adam(const OptimizerOptions& options, ParamStore& params) {
  return std::make_unique<LazyAdam>(options, params);
}

}  // namespace engram
