// RigL (Evci et al. 2020, arXiv 1911.11134): now and then the smallest weights of a layer are taken
// away and as many begin, at 0, where the gradient of the batch is largest in magnitude among all
// that do not exist (those just taken away included). The share falls by half a cosine, anew in
// every task. Looking at every missing weight costs a dense product for each such step.
#include <algorithm>
#include <cmath>
#include <map>

#include "learners/layer_errors.h"
#include "learners/rewiring.h"
#include "learners/strategies/rewiring_strategies.h"
#include "utils/kernels.h"

namespace engram {
namespace {

class Rigl final : public Rewiring {
 public:
  Rigl(const RiglOptions& options, const StrategyContext& context)
      : Rewiring(context), o_(options), loss_(context.loss) {}
  Provides needs() const override { return Provides::Gradient; }

 private:
  double share(const Training& t) const override {
    return cosine_share(t, o_.every, o_.share, o_.until);
  }
  void look(Training& t, const Batch& batch) override {
    errors_.run(
        t.net, loss_, batch, look_pass(t, batch),
        [&](int l, const Signal& in, const Signal& error) {
          if (!t.net.layer(l).rewirable()) return;
          const Mat g = dense_[l].resize(in.cols(), error.cols());
          kernels::gemm(true, false, 1, in.value(), error.value(), 0, g);
        },
        t.still);
  }
  void grow(Training&, const Batch&, Site& site, std::span<const Edge> gone, std::size_t count,
            std::vector<Edge>& to) override {
    for (const Edge& e : gone)
      site.free(e);
    const CMat g = std::as_const(dense_[site.layer]).value();
    std::vector<std::pair<real, Edge>> all;
    for (std::int32_t i = 0; i < g.rows; ++i)
      for (std::int32_t o = 0; o < g.cols; ++o)
        if (!site.taken({o, i})) all.emplace_back(std::abs(g.row(i)[o]), Edge{o, i});
    count = std::min(count, all.size());
    const auto more = [](const auto& a, const auto& b) {
      if (a.first != b.first) return a.first > b.first;
      return std::pair(a.second.output, a.second.input) <
             std::pair(b.second.output, b.second.input);
    };
    std::nth_element(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(count), all.end(),
                     more);
    all.resize(count);
    std::sort(all.begin(), all.end(), more);
    for (const auto& [size, e] : all)
      site.take(e), to.push_back(e);
  }

  RiglOptions o_;
  LossOptions loss_;
  LayerErrors errors_;
  std::map<int, Signal> dense_;  ///< gradients of all weights of a layer, [inputs, outputs]
};

}  // namespace

std::unique_ptr<Strategy> make_rigl(const RiglOptions& options, const StrategyContext& context) {
  return std::make_unique<Rigl>(options, context);
}

}  // namespace engram
