// Streaming linear discriminant analysis (SLDA; Hayes & Kanan 2020, arXiv 1909.01520): of features
// that do not learn, a mean for every class and one covariance for all, example by example,
//   Sigma <- (t Sigma + t / (t + 1) (phi - mu_c)(phi - mu_c)') / (t + 1)   with the mu_c of before,
//   mu_c <- mu_c + (phi - mu_c) / (n_c + 1),
// and, when a task is tested, the classifier W = Lambda mu, b = -mu' Lambda mu / 2 with
// Lambda = ((1 - eps) Sigma + eps I)^-1. One pass; further epochs change nothing.
// Kept is the sum t Sigma, to which a batch adds one product of matrices; no inverse is made before
// somebody tests. Classes that have not come yet cannot win.
// Pitfalls: a class's first example counts with mu_c = 0 (but for the very first, whose weight is
// 0), so its order matters a little. On the pixels themselves (hidden_layers = 0) this is a strong
// baseline that nothing can forget.
#include <algorithm>
#include <armadillo>

#include "learners/head_in_test.h"
#include "learners/strategies/replay.h"
#include "learners/strategy_checks.h"
#include "utils/error.h"
#include "utils/kernels.h"

namespace engram {
namespace {

class Slda final : public Strategy {
 public:
  Slda(const SldaOptions& options, const StrategyContext& context)
      : o_(options),
        head_(context.net, "slda"),
        means_(size() * static_cast<std::size_t>(head_.outputs())),
        counts_(static_cast<std::size_t>(head_.outputs())),
        scatter_(size() * size()) {
    refuse_single_output(context, "slda");
  }

  bool needs_examples() const override { return true; }
  bool learns_instead() const override { return true; }

  void after_step(Training& t, const Batch& batch) override {
    if (t.epoch > 0) return;
    const CMat phi = head_.features_of(t.net, batch.x, batch.task, tape_);
    const int rows = batch.own_rows();
    const Mat from = apart_.resize(rows, phi.cols);
    double seen = 0;
    for (const real n : counts_)
      seen += static_cast<double>(n);
    for (int b = 0; b < rows; ++b, seen += 1) {
      const auto c = static_cast<std::size_t>(batch.target[static_cast<std::size_t>(b)]);
      real* const mean = means_.data() + c * size();
      const auto weight = static_cast<real>(std::sqrt(seen / (seen + 1)));
      const real share = 1 / (counts_[c] + 1);
      for (int i = 0; i < phi.cols; ++i) {
        const real apart = phi.row(b)[i] - mean[i];
        from.row(b)[i] = weight * apart;
        mean[i] += share * apart;
      }
      counts_[c] += 1;
    }
    const CMat x = from;
    kernels::gemm(true, false, 1, x, x, 1, {scatter_.data(), phi.cols, phi.cols});
    fresh_ = false;
  }

  void begin_test(Network& net, int) override {
    if (!fresh_) solve();
    if (!weights_.empty()) head_.put(net, weights_, biases_);
  }
  void end_test(Network& net) override { head_.take_back(net); }

  std::vector<std::span<real>> state() override { return {means_, counts_, scatter_}; }

 private:
  std::size_t size() const { return static_cast<std::size_t>(head_.features()); }

  void solve() {
    fresh_ = true;
    double seen = 0;
    for (const real n : counts_)
      seen += static_cast<double>(n);
    if (seen == 0) return;
    const std::size_t classes = counts_.size();
    arma::mat precision(size(), size()), means(size(), classes);
    for (std::size_t i = 0; i < scatter_.size(); ++i)
      precision[i] = (1 - o_.shrinkage) * static_cast<double>(scatter_[i]) / seen;
    precision = arma::symmatu(precision);
    precision.diag() += o_.shrinkage;
    std::ranges::copy(means_, means.begin());
    arma::mat w;
    if (!arma::solve(w, precision, means, arma::solve_opts::likely_sympd))
      throw Error(Fault::Numerical,
                  "slda: the covariance cannot be inverted; make slda.shrinkage larger");
    weights_.resize(size() * classes), biases_.resize(classes);
    for (std::size_t c = 0; c < classes; ++c) {
      const bool came = counts_[c] > 0;
      for (std::size_t i = 0; i < size(); ++i)
        weights_[i * classes + c] = static_cast<real>(came ? w(i, c) : 0);
      biases_[c] = came ? static_cast<real>(-arma::dot(means.col(c), w.col(c)) / 2) : kNeverChosen;
    }
  }

  SldaOptions o_;
  HeadInTest head_;
  std::vector<real> means_;    ///< [classes][features]
  std::vector<real> counts_;   ///< [classes]
  std::vector<real> scatter_;  ///< [features][features]: t Sigma
  bool fresh_ = false;         ///< what follows is that of the sums
  std::vector<real> weights_, biases_;
  Tape tape_;
  Signal apart_;
};

}  // namespace

std::unique_ptr<Strategy> make_slda(const SldaOptions& options, const StrategyContext& context) {
  return std::make_unique<Slda>(options, context);
}

}  // namespace engram
