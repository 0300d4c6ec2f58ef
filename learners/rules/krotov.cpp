// Competing hidden units (Krotov & Hopfield 2019), in the form that ranks units by their input
// current I_mu = sum_i sign(W_mui) |W_mui|^(p-1) v_i. For every sample the first unit is pulled
// towards it and the k-th pushed away:
//   g = 1 for the first, -delta for the k-th, else 0;   D = gᵀ v - diag(sum_b g I) W,
//   W += rate D / max |D|.
// Where a unit's D vanishes its weights have unit p-norm.
#include <algorithm>
#include <vector>

#include "learners/hebbian/local_rules.h"
#include "utils/parallel.h"
#include "utils/top_k.h"

namespace engram {
namespace {

class Krotov final : public LocalRule {
 public:
  explicit Krotov(const KrotovOptions& options) : o_(options) {}
  Sees sees() const override { return Sees::Drive; }
  Decay decay() const override { return Decay::Units; }
  Divide divide() const override { return Divide::LargestChange; }
  double default_rate() const override { return 0.02; }
  double exponent() const override { return o_.power; }
  bool anneals() const override { return true; }

  void respond(const LayerActivity& a, int, LocalChange& change) override {
    const int competing = a.learning.last - a.learning.first, rank = std::min(o_.rank, competing);
    const int pushed = o_.anti > 0 && rank > 1 ? 1 : 0;
    const Mat post = change.post.resize_sparse(a.rows(), a.places * a.units());
    ActiveSet& active = change.post.active;
    active.begin(a.rows(), a.places * (1 + pushed));
    const auto loss = static_cast<real>(-o_.anti);
    for_rows(a.rows(), [&](int b) {
      thread_local std::vector<std::int32_t> winners;
      std::int32_t* const units = active.slots(b);
      int count = 0;
      for (int place = 0; place < a.places; ++place) {
        const int offset = place * a.units() + a.learning.first;
        const real* const drive = a.y.row(b * a.places + place) + a.learning.first;
        const auto [first, last] = places_of(drive, competing, rank, winners);
        real* const to = post.row(b) + offset;
        to[first] = 1;
        if (pushed != 0) to[last] = loss;
        units[count++] = offset + (pushed != 0 ? std::min(first, last) : first);
        if (pushed != 0) units[count++] = offset + std::max(first, last);
      }
      active.set_count(b, count);
    });
    change.unit_decay.assign(static_cast<std::size_t>(a.units()), 0);
    for (int b = 0; b < a.rows(); ++b)
      for (const std::int32_t at : active.row(b)) {
        const int unit = at % a.units(), sample = b * a.places + at / a.units();
        change.unit_decay[static_cast<std::size_t>(unit)] +=
            post.row(b)[at] * a.y.row(sample)[unit];
      }
  }

 private:
  struct Pair {
    int first, last;
  };
  /// The largest of the drives and the one of a rank, the lowest index first among equals.
  static Pair places_of(const real* drive, int count, int rank,
                        std::vector<std::int32_t>& winners) {
    winners.resize(static_cast<std::size_t>(rank + kernels::kWinnersSlack));
    kernels::top_k({drive, static_cast<std::size_t>(count)}, {count, rank}, winners.data());
    Pair pair{winners[0], winners[0]};
    for (int w = 1; w < rank; ++w) {  // ascending indices, so that strict comparisons break ties
      const std::int32_t u = winners[static_cast<std::size_t>(w)];
      if (drive[u] > drive[pair.first]) pair.first = u;
      if (drive[u] <= drive[pair.last]) pair.last = u;
    }
    return pair;
  }

  KrotovOptions o_;
};

}  // namespace

std::unique_ptr<LocalRule> make_krotov(const KrotovOptions& options) {
  return std::make_unique<Krotov>(options);
}

}  // namespace engram
