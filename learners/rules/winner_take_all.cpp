// Competitive learning (Rumelhart & Zipser 1985; k winners: Lagani et al. 2021): the weights of the
// units that respond most move towards the sample, w += rate (x - w).
#include <vector>

#include <fmt/format.h>

#include "learners/hebbian/local_rules.h"
#include "utils/error.h"
#include "utils/parallel.h"
#include "utils/top_k.h"

namespace engram {
namespace {

class WinnerTakeAll final : public LocalRule {
 public:
  explicit WinnerTakeAll(const WinnerOptions& options) : o_(options) {}
  Sees sees() const override { return Sees::Drive; }
  Decay decay() const override { return Decay::Units; }
  Divide divide() const override { return Divide::Nothing; }
  double default_rate() const override { return 0.01; }
  bool wants_norms() const override { return o_.cosine; }

  void respond(const LayerActivity& a, int, LocalChange& change) override {
    const int competing = a.learning.last - a.learning.first;
    if (o_.winners > competing)
      throw Error(Fault::Config, fmt::format("winner_take_all.k = {}: only {} units compete",
                                             o_.winners, competing));
    scales_.assign(static_cast<std::size_t>(competing), 1);
    if (o_.cosine)
      for (int u = 0; u < competing; ++u) {
        const real norm = a.norms[static_cast<std::size_t>(a.learning.first + u)];
        scales_[static_cast<std::size_t>(u)] = norm > 0 ? 1 / norm : real{0};
      }
    const Mat post = change.post.resize_sparse(a.rows(), a.places * a.units());
    ActiveSet& active = change.post.active;
    active.begin(a.rows(), a.places * o_.winners);
    for_rows(a.rows(), [&](int b) {
      thread_local std::vector<real> scores;
      thread_local std::vector<std::int32_t> winners;
      winners.resize(static_cast<std::size_t>(o_.winners + kernels::kWinnersSlack));
      scores.resize(static_cast<std::size_t>(competing));
      std::int32_t* const units = active.slots(b);
      int count = 0;
      for (int place = 0; place < a.places; ++place) {
        const real* const drive = a.y.row(b * a.places + place) + a.learning.first;
        for (int u = 0; u < competing; ++u)
          scores[static_cast<std::size_t>(u)] = drive[u] * scales_[static_cast<std::size_t>(u)];
        kernels::top_k(scores, {competing, o_.winners}, winners.data());
        for (int w = 0; w < o_.winners; ++w) {
          const int at =
              place * a.units() + a.learning.first + winners[static_cast<std::size_t>(w)];
          post.row(b)[at] = 1, units[count++] = at;
        }
      }
      active.set_count(b, count);
    });
    change.unit_decay.assign(static_cast<std::size_t>(a.units()), 0);
    for (int b = 0; b < a.rows(); ++b)
      for (const std::int32_t at : active.row(b))
        change.unit_decay[static_cast<std::size_t>(at % a.units())] += 1;
  }

 private:
  WinnerOptions o_;
  std::vector<real> scales_;
};

}  // namespace

std::unique_ptr<LocalRule> make_winner_take_all(const WinnerOptions& options) {
  return std::make_unique<WinnerTakeAll>(options);
}

}  // namespace engram
