#include "learners/past_claims.h"

#include <algorithm>

namespace engram {

PastClaims::PastClaims(int inputs, int outputs, int tasks)
    : inputs_(static_cast<std::size_t>(inputs)),
      outputs_(static_cast<std::size_t>(outputs)),
      tasks_(static_cast<std::size_t>(tasks)),
      all_(kHead + tasks_ * row()) {}

void PastClaims::see(const Signal& x, const Signal& error) {
  if (past() == tasks_) return;
  real *const of_inputs = task(past()), *const of_errors = of_inputs + inputs_;
  const auto rows = static_cast<real>(x.rows());
  for (int b = 0; b < x.rows(); ++b) {
    const auto in = x.value().row(b), d = error.value().row(b);
    for (std::size_t i = 0; i < inputs_; ++i)
      of_inputs[i] += in[i] * in[i] / rows;
    // The error of one example is `rows` times its share of the mean.
    for (std::size_t j = 0; j < outputs_; ++j)
      of_errors[j] += d[j] * d[j] * rows;
  }
  all_[1] += 1;
}

void PastClaims::end_task() {
  if (past() == tasks_) return;
  const real batches = std::max(all_[1], real{1});
  std::for_each_n(task(past()), row(), [batches](real& sum) { sum /= batches; });
  all_[0] += 1, all_[1] = 0;
}

real PastClaims::at(SparseSynapses::Edge e) const {
  const auto i = static_cast<std::size_t>(e.input), j = static_cast<std::size_t>(e.output);
  real sum = 0;
  for (std::size_t k = 0; k < past(); ++k)
    sum += task(k)[i] * task(k)[inputs_ + j];
  return sum;
}

}  // namespace engram
