// Adam (Kingma & Ba 2015) with the L2 penalty added to the gradient, as PyTorch's Adam:
//   m <- b1 m + (1 - b1) g;  v <- b2 v + (1 - b2) g^2;
//   w <- w - lr / (1 - b1^t) * m / (sqrt(v) / sqrt(1 - b2^t) + eps).
// Decoupled (AdamW, Loshchilov & Hutter 2019): g is the gradient alone, and w shrinks by
// 1 - lr decay before that step.
// Exact for untouched weights too: their moments decay and they still move. `lazy_adam` leaves
// them alone. Rows without a gradient since the moments were 0 do not move, to the last bit, unless
// they decay; so they are left out, and dendrite segments that were never chosen cost nothing.
#include "learners/optimizers/adam_moments.h"

namespace engram {
namespace {

class Adam final : public AdamMoments {
 public:
  using AdamMoments::AdamMoments;

  void step(double lr) override {
    if (!known_) find_moved();
    count_step();
    for (int id = 0; id < params_.count(); ++id) {
      const Param& p = params_.param(id);
      if (!p.trainable) continue;
      const AdamStep update = step_of(p, lr);
      Moved& moved = moved_[static_cast<std::size_t>(id)];
      note_gradient(p, moved);
      if (moved.all || o_.weight_decay * p.decay != 0) {
        for_each_run(params_, id, [&](std::size_t begin, std::size_t count, const real* g) {
          update(*this, begin, count, g);
        });
        continue;
      }
      const auto cols = static_cast<std::size_t>(p.cols);
      const auto step = [&](std::size_t begin, std::size_t count, const real* g) {
        if (g) return update(*this, begin, count, g);
        for (std::size_t at = begin; at < begin + count; at += cols)
          if (moved.rows[(at - p.offset) / cols] != 0) update(*this, at, cols, nullptr);
      };
      constexpr int kRows = 64;
      parallel_for((p.rows + kRows - 1) / kRows, [&](int run) {
        const int first = run * kRows, last = std::min(p.rows, first + kRows);
        if (p.form == GradientForm::Block)
          for_each_run_of_block(p, first, last, step);
        else
          step(p.offset + first * cols, static_cast<std::size_t>(last - first) * cols, nullptr);
      });
    }
  }
  void reset() override {
    AdamMoments::reset();
    moved_.assign(static_cast<std::size_t>(params_.count()), {});
    for (int id = 0; id < params_.count(); ++id)
      moved_[static_cast<std::size_t>(id)].rows.assign(
          static_cast<std::size_t>(params_.param(id).rows), 0);
    known_ = true;
  }
  void set_steps(std::int64_t steps) override {
    AdamMoments::set_steps(steps);
    known_ = false;  // the moments have been replaced
  }

 private:
  /// Rows of a slice whose moments may differ from 0.
  struct Moved {
    bool all = false;
    std::vector<std::uint8_t> rows;
  };

  static void note_gradient(const Param& p, Moved& moved) {
    if (moved.all || p.form == GradientForm::Zero) return;
    if (p.form == GradientForm::Full || p.block.all_rows) return void(moved.all = true);
    for (const std::int32_t row : p.block.rows)
      moved.rows[static_cast<std::size_t>(row)] = 1;
  }
  void find_moved() {
    const auto is_zero = [](real v) { return v == 0; };
    moved_.assign(static_cast<std::size_t>(params_.count()), {});
    for (int id = 0; id < params_.count(); ++id) {
      const Param& p = params_.param(id);
      const auto cols = static_cast<std::size_t>(p.cols);
      for (int row = 0; row < p.rows; ++row) {
        const std::size_t begin = p.offset + row * cols;
        const bool still = std::all_of(&first_[begin], &first_[begin] + cols, is_zero) &&
                           std::all_of(&second_[begin], &second_[begin] + cols, is_zero);
        moved_[static_cast<std::size_t>(id)].rows.push_back(still ? 0 : 1);
      }
    }
    known_ = true;
  }

  std::vector<Moved> moved_;
  bool known_ = false;  ///< whether moved_ says what the moments say
};

}  // namespace

std::unique_ptr<Optimizer> make_adam(const OptimizerOptions& options, ParamStore& params) {
  return std::make_unique<Adam>(options, params);
}

}  // namespace engram
