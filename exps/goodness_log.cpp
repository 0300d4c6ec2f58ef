#include "exps/goodness_log.h"

#include <cmath>

#include "models/goodness.h"
#include "utils/error.h"

namespace engram {

GoodnessLog::GoodnessLog(const Network& net) : outputs_(static_cast<std::size_t>(net.outputs())) {
  for (int l = 0; l < net.depth(); ++l)
    if (const auto* found = dynamic_cast<const GoodnessLayer*>(&net.layer(l)))
      layer_ = static_cast<std::size_t>(l), levels_ = static_cast<std::size_t>(found->levels());
  start();
}

void GoodnessLog::start() {
  label_.assign(levels_ * outputs_, {});
  others_ = label_;
}

void GoodnessLog::add(const Tape& tape, std::span<const int> target) {
  if (!on()) return;
  const std::vector<real>& goodness = tape[layer_].saved;
  ENGRAM_INVARIANT(goodness.size() == target.size() * outputs_ * levels_);
  for (std::size_t i = 0; i < target.size(); ++i) {
    const auto right = static_cast<std::size_t>(target[i]);
    for (std::size_t c = 0; c < outputs_; ++c)
      for (std::size_t l = 0; l < levels_; ++l) {
        const double g = static_cast<double>(goodness[(i * outputs_ + c) * levels_ + l]);
        if (std::isnan(g)) continue;
        Mean& mean = (c == right ? label_ : others_)[l * outputs_ + right];
        mean.sum += g, mean.count += 1;
      }
  }
}

void GoodnessLog::finish(int row, RunRecord& run) const {
  if (!on()) return;
  if (row == 0) {
    const Table empty({run.accuracy.shape(0), outputs_}, kNotEvaluated);
    run.goodness.clear();
    for (std::size_t l = 0; l < levels_; ++l)
      run.goodness.push_back({std::to_string(l + 1), empty, empty});
  }
  ENGRAM_INVARIANT(run.goodness.size() == levels_);
  for (std::size_t l = 0; l < levels_; ++l)
    for (std::size_t c = 0; c < outputs_; ++c) {
      const auto at = static_cast<std::size_t>(row);
      run.goodness[l].with_label(at, c) = label_[l * outputs_ + c].value();
      run.goodness[l].with_others(at, c) = others_[l * outputs_ + c].value();
    }
}

}  // namespace engram
