// SoftHebb (Moraitis et al. 2022; deep: Journe et al. 2023): a soft competition whose losers may
// learn with the opposite sign. With u = x W and y = softmax(t u), negated for all but the winner,
//   D = xᵀ y - W diag(sum y u),   w_k += rate |norm_k - 1|^q D_k / max |D|.
#include <algorithm>
#include <cmath>

#include "learners/hebbian/local_rules.h"
#include "utils/error.h"
#include "utils/parallel.h"

namespace engram {
namespace {

constexpr real kNearUnitNorm = real{1e-10F};

class SoftHebb final : public LocalRule {
 public:
  explicit SoftHebb(const SoftHebbOptions& options) : o_(options) {}
  Sees sees() const override { return Sees::Drive; }
  Decay decay() const override { return Decay::Units; }
  Divide divide() const override { return Divide::LargestChange; }
  double default_rate() const override { return 0.045; }
  bool wants_norms() const override { return true; }

  void respond(const LayerActivity& a, int layer, LocalChange& change) override {
    const int first = a.learning.first, last = a.learning.last, units = a.units();
    const auto& all = o_.inverse_temperature;
    const std::size_t own = std::min(static_cast<std::size_t>(layer), all.size() - 1);
    const auto t = static_cast<real>(all[own]);
    const Mat rows = change.post.resize(a.rows(), a.places * units);
    const Mat post{rows.data, a.y.rows, units};
    for_rows(a.y.rows, [&](int s) {
      const real* const drive = a.y.row(s);
      real* const y = post.row(s);
      std::fill_n(y, units, real{0});
      const auto winner = static_cast<int>(std::max_element(drive + first, drive + last) - drive);
      real sum = 0;
      for (int u = first; u < last; ++u)
        y[u] = std::exp(t * (drive[u] - drive[winner])), sum += y[u];
      for (int u = first; u < last; ++u)
        y[u] /= o_.anti && u != winner ? -sum : sum;
    });
    change.unit_decay.assign(static_cast<std::size_t>(units), 0);
    for (int s = 0; s < a.y.rows; ++s)
      for (int u = first; u < last; ++u)
        change.unit_decay[static_cast<std::size_t>(u)] += post.row(s)[u] * a.y.row(s)[u];
    change.unit_rate.assign(static_cast<std::size_t>(units), 0);
    for (int u = first; u < last; ++u) {
      const auto i = static_cast<std::size_t>(u);
      change.unit_rate[i] =
          std::pow(std::abs(a.norms[i] - 1) + kNearUnitNorm, static_cast<real>(o_.norm_power));
    }
  }

 private:
  SoftHebbOptions o_;
};

}  // namespace

std::unique_ptr<LocalRule> make_softhebb(const SoftHebbOptions& options) {
  if (options.inverse_temperature.empty())
    throw Error(Fault::Config,
                "softhebb.inverse_temperature is empty; give one number, or one for each layer");
  return std::make_unique<SoftHebb>(options);
}

}  // namespace engram
