// CWR* (Lomonaco, Maltoni & Pellegrini 2020, arXiv 1907.03799): the classifier that is tested is
// not the one that learns. Before a task the rows of its classes are set to what was consolidated
// (0 for new classes) and all others to 0; after it, for every class j of the task,
//   saved_j <- (saved_j r + (w_j - mean(w))) / (r + 1),   r = sqrt(past_j / now_j),
//   past_j <- past_j + now_j,
// with now_j its training examples in the task and the mean over all weights of the task's rows.
// Biases likewise, with a mean of their own. The body learns the first task alone, and must have no
// statistics that would go on moving.
// In the middle of a task it is tested with what would be consolidated at that moment.
#include <algorithm>
#include <cmath>

#include "learners/strategies/isolation.h"
#include "learners/strategy_checks.h"
#include "models/synaptic.h"
#include "utils/error.h"

namespace engram {
namespace {

class CwrStar final : public Strategy {
 public:
  CwrStar(const CwrStarOptions& options, const StrategyContext& context) : o_(options) {
    refuse_single_output(context, "cwr_star");
    const Network& net = context.net;
    if (o_.freeze_body)
      refuse_moving_statistics(context, "cwr_star", " or cwr_star.freeze_body = no");
    const auto matrices = net.layer(net.depth() - 1).synapses();
    const bool one_head = matrices.size() == 1 && !matrices.front()->is_convolution();
    if (!one_head || (context.targets && context.targets->head() == Head::PerTask))
      throw Error(Fault::Config,
                  "strategies: cwr_star consolidates one fully connected classifier for all tasks, "
                  "of dense weights, with an output per class; use head = shared or masked");
    head_ = matrices.front();
    const CMat w = head_->weight();
    rows_ = w.rows, classes_ = w.cols;
    saved_.resize(w.size() + static_cast<std::size_t>(classes_));
    past_.resize(static_cast<std::size_t>(classes_));
    now_.resize(past_.size());
  }

  Provides needs() const override {
    return o_.freeze_body ? Provides::Gradient | Provides::OtherBatchesLater : Provides::Gradient;
  }
  bool needs_borders() const override { return true; }
  bool needs_examples() const override { return true; }

  void begin_experience(Training& t) override {
    std::ranges::fill(now_, real{0});
    const ExampleSet& train = t.experience->train;
    for (std::uint32_t i = 0; i < train.size(); ++i)
      now_[static_cast<std::size_t>(t.targets->target(train.task(i), train.label(i)))] += 1;
    std::vector<real> start(saved_.size(), 0);
    for_each_weight([&](std::size_t place, std::size_t j) {
      if (now_[j] > 0) start[place] = saved_[place];
    });
    write(t.net.params(), start);
    learning_[0] = 1;
  }
  void extend_batch(Training& t, Batch&) override {
    if (!o_.freeze_body || learnt_[0] == 0) return;
    ParamStore& params = t.net.params();
    for (int id = 0; id < params.count(); ++id)
      if (id != head_->weight_id() && id != head_->bias_part().id())
        params.param(id).trainable = false;
  }
  void end_experience(Training& t) override {
    saved_ = consolidated(t.net.params());
    for (std::size_t j = 0; j < past_.size(); ++j)
      past_[j] += now_[j];
    learning_[0] = 0, learnt_[0] += 1;
  }

  void begin_test(Network& net, int) override {
    aside_ = read(net.params());
    write(net.params(), learning_[0] != 0 ? consolidated(net.params()) : saved_);
  }
  void end_test(Network& net) override { write(net.params(), aside_); }

  std::vector<std::span<real>> state() override {
    return {saved_, past_, now_, learning_, learnt_};
  }

 private:
  /// body(place in a flat classifier, class): weights [features, classes], then biases.
  template <class Body>
  void for_each_weight(Body body) const {
    const auto n = static_cast<std::size_t>(classes_);
    for (std::size_t place = 0; place < saved_.size(); ++place)
      body(place, place % n);
  }

  std::vector<real> read(const ParamStore& params) const {
    const CMat w = params.value(head_->weight_id());
    std::vector<real> flat(w.data, w.data + w.size());
    flat.resize(saved_.size(), 0);
    if (const int id = head_->bias_part().id(); id >= 0)
      std::ranges::copy(CMat(params.value(id)).all(),
                        flat.begin() + static_cast<std::ptrdiff_t>(w.size()));
    return flat;
  }
  void write(ParamStore& params, const std::vector<real>& flat) const {
    const Mat w = params.value(head_->weight_id());
    std::copy_n(flat.begin(), w.size(), w.data);
    if (const int id = head_->bias_part().id(); id >= 0)
      std::copy_n(flat.begin() + static_cast<std::ptrdiff_t>(w.size()), classes_,
                  params.value(id).data);
  }

  std::vector<real> consolidated(const ParamStore& params) const {
    const std::vector<real> w = read(params);
    const auto first_bias = static_cast<std::size_t>(rows_) * static_cast<std::size_t>(classes_);
    double sum[2] = {0, 0}, count[2] = {0, 0};  // of weights and of biases
    for_each_weight([&](std::size_t place, std::size_t j) {
      if (now_[j] <= 0) return;
      sum[place >= first_bias] += static_cast<double>(w[place]), count[place >= first_bias] += 1;
    });
    std::vector<real> out = saved_;
    for_each_weight([&](std::size_t place, std::size_t j) {
      if (now_[j] <= 0) return;
      const bool bias = place >= first_bias;
      const double r = std::sqrt(static_cast<double>(past_[j]) / static_cast<double>(now_[j]));
      out[place] = static_cast<real>((static_cast<double>(saved_[place]) * r +
                                      static_cast<double>(w[place]) - sum[bias] / count[bias]) /
                                     (r + 1));
    });
    return out;
  }

  CwrStarOptions o_;
  const SynapticMatrix* head_ = nullptr;
  int rows_ = 0, classes_ = 0;
  std::vector<real> saved_;       ///< [features, classes] and [classes]
  std::vector<real> past_, now_;  ///< [classes]: examples before this task, and in it
  std::vector<real> learning_ = {0}, learnt_ = {0};  ///< in a task; how many before it
  std::vector<real> aside_;
};

}  // namespace

std::unique_ptr<Strategy> make_cwr_star(const CwrStarOptions& options,
                                        const StrategyContext& context) {
  return std::make_unique<CwrStar>(options, context);
}

}  // namespace engram
