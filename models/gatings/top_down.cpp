// Instruction of a bottom-up / top-down network (Abel & Ullman 2024, arXiv 2306.02415). A task's
// one-hot code k passes down through a fixed random task head and then through the top-down weights
// V of the network, rectified at every level:
//   a = relu(A2[k]),  t_L = relu(a A1),  t_{l-1} = relu(V_l t_l),
// and level l of the bottom-up pass is open where t_l > 0. Only signs matter, so the head's scale
// does not. With the weights of the network as V, masks drift as it learns, unless those of the
// start are kept. Batch norm takes no part: the top-down pass would otherwise depend on the batch.
#include <algorithm>
#include <cmath>
#include <numeric>

#include <fmt/format.h>

#include "models/gating.h"
#include "models/network.h"
#include "models/walk_down.h"
#include "utils/error.h"
#include "utils/kernels.h"

namespace engram {
namespace {

constexpr int kMostDraws = 100;

void rectify(Mat x) {
  for (real& v : x.all())
    v = std::max(v, real{0});
}

class TopDown final : public Gating {
 public:
  using Gating::Gating;

  std::string describe() const override {
    const std::string few =
        o_.keep_fraction ? fmt::format(", at most {} % of the units", 100 * *o_.keep_fraction) : "";
    return fmt::format("gated by a top-down pass of the task{}, {}", few,
                       frozen() ? "as at the start" : "as the weights are");
  }

  void bind(const Network& net, const FeedbackPlan& plan, ParamStore& store) override {
    find_layers(net);
    for (int l = 0; l + 1 < net.depth(); ++l)
      if (net.layer(l).downward() == Downward::None)
        throw Error(Fault::Config,
                    fmt::format("gating = top_down: {} has no top-down pass; use strided "
                                "convolutions (model = simple_net) in the place of pooling, and "
                                "relu in that of k-winners",
                                net.layer_name(l)));
    // Fixed signs are of the weights themselves; a direct path leads past the levels.
    const bool own = plan.path == Path::Feedback && plan.kept && !plan.derived;
    path_ = own ? Path::Feedback : Path::Weights;
    store_ = &store;
    const int top = net.input_shape(net.depth() - 1).size();
    if (o_.embedding > 0) code_ = store.add_state("task_head.code", tasks_, o_.embedding);
    head_ = store.add_state("task_head.core", o_.embedding > 0 ? o_.embedding : tasks_, top);
    if (frozen()) stored_.bind(net, layers_, tasks_, store);
  }

  /// Draws the task head until no task has an empty level. It is never trained.
  void init(const Network& net, Rng rng) override {
    for (int attempt = 0; attempt < kMostDraws; ++attempt) {
      Rng draw = rng.fork("task_head", static_cast<std::uint64_t>(attempt));
      for (const int id : {code_, head_}) {
        if (id < 0) continue;
        for (real& x : store_->state(id).all())
          x = static_cast<real>(draw.uniform(-1, 1));
      }
      pass_down(net);
      const GatedLayer* const weak = too_few();
      if (!weak) {
        for (std::size_t level = 0; frozen() && level < live_.size(); ++level)
          stored_.write(level, live_[level]);
        return;
      }
      weakest_ = net.layer_name(weak->layer);
    }
    throw Error(Fault::Config,
                fmt::format("gating = top_down: after {} draws of the task head some task still "
                            "has less than {} % active units in {}; lower gating.min_active or "
                            "widen the network",
                            kMostDraws, 100 * o_.min_active, weakest_));
  }

  void refresh(const Network& net) override {
    if (!frozen()) pass_down(net);
  }
  GateMask mask(std::size_t level) const override {
    return frozen() ? stored_.read(level) : GateMask(live_[level]);
  }

 private:
  bool frozen() const { return o_.instruction == Instruction::Frozen; }

  /// The instruction pass of all tasks at once.
  void pass_down(const Network& net) {
    live_.resize(layers_.size());
    const CMat head = std::as_const(*store_).state(head_);
    const Mat top = top_.resize(tasks_, head.cols);
    if (code_ >= 0) {
      const CMat code = std::as_const(*store_).state(code_);
      const Mat a = code_signal_.resize(tasks_, code.cols);
      std::copy_n(code.data, code.size(), a.data);
      rectify(a);
      kernels::gemm(false, false, 1, a, head, 0, top);
    } else {
      std::copy_n(head.data, head.size(), top.data);
    }
    rectify(top);
    std::size_t level = layers_.size();
    walk_.run(
        net, top_, [](int, const Signal&) {},
        [&](int l, const Signal& t, Signal& below) -> Macs {
          if (l == net.depth() - 1 || net.layer(l).downward() == Downward::Identity) {
            copy_signal(t, below);
            if (level > 0 && layers_[level - 1].layer == l) close(--level, below.value());
            return {};
          }
          shape_.resize(tasks_, net.input_shape(l).size());
          return net.layer(l).backward_input(shape_, none_, t, below, {}, {path_, nullptr});
        },
        [](int, const Signal&, std::span<Signal>) { return Macs{}; });
    ENGRAM_INVARIANT(level == 0);
  }

  /// t <- relu(t), perhaps only its largest; the mask of a level follows.
  void close(std::size_t level, Mat t) {
    rectify(t);
    if (o_.keep_fraction) {
      const int kept = std::max(1, static_cast<int>(std::nearbyint(*o_.keep_fraction * t.cols)));
      for (int task = 0; task < t.rows; ++task)
        keep_largest({t.row(task), static_cast<std::size_t>(t.cols)}, kept);
    }
    live_[level].resize(t.size());
    for (std::size_t i = 0; i < t.size(); ++i)
      live_[level][i] = t.data[i] > 0 ? real{1} : real{0};
  }

  void keep_largest(std::span<real> t, int kept) {
    if (kept >= static_cast<int>(t.size())) return;
    order_.resize(t.size());
    std::iota(order_.begin(), order_.end(), 0);
    std::nth_element(order_.begin(), order_.begin() + kept, order_.end(), [&](int a, int b) {
      return t[static_cast<std::size_t>(a)] != t[static_cast<std::size_t>(b)]
                 ? t[static_cast<std::size_t>(a)] > t[static_cast<std::size_t>(b)]
                 : a < b;
    });
    for (std::size_t i = static_cast<std::size_t>(kept); i < order_.size(); ++i)
      t[static_cast<std::size_t>(order_[i])] = 0;
  }

  /// The first level in which some task has too few active units; null: there is none.
  const GatedLayer* too_few() const {
    const double share = std::min(o_.min_active, o_.keep_fraction.value_or(1));
    for (std::size_t level = 0; level < live_.size(); ++level) {
      const auto units = static_cast<std::size_t>(layers_[level].units);
      for (int task = 0; task < tasks_; ++task) {
        const auto begin = live_[level].begin() + static_cast<std::ptrdiff_t>(task * units);
        const double active = static_cast<double>(std::count(begin, begin + units, real{1}));
        if (active < 1 || active < std::floor(share * static_cast<double>(units)))
          return &layers_[level];
      }
    }
    return nullptr;
  }

  ParamStore* store_ = nullptr;
  Path path_ = Path::Weights;
  int code_ = -1, head_ = -1;
  StoredMasks stored_;
  std::vector<std::vector<real>> live_;  ///< of the last pass
  WalkDown walk_;
  Signal top_, code_signal_, shape_;
  Record none_;
  std::vector<int> order_;
  std::string weakest_;
};

}  // namespace

std::unique_ptr<Gating> make_top_down(const GatingOptions& options, int tasks) {
  return std::make_unique<TopDown>(options, tasks);
}

}  // namespace engram
