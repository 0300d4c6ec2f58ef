// Forward-forward (Hinton 2022), supervised, after Hinton's Matlab code as it is ported in ff-py.
// Positives are images with their label, negatives the same with a wrong one; level l minimises
//   mean over both of the cross-entropy of p = sigmoid(goodness - threshold)
// with the levels below as constants. `hard` negatives are drawn from what a softmax head on a pass
// under the neutral label takes for likely. Peer normalisation draws every unit's mean activity for
// positives (a running mean) to the mean of its level, on or off as it may be.
#include "models/circuits/ff.h"

#include <algorithm>
#include <cmath>

#include "learners/forward_forward/slice_gradients.h"
#include "learners/forward_forward/wrong_labels.h"
#include "learners/loss.h"
#include "learners/rules/rules.h"
#include "utils/error.h"
#include "utils/kernels.h"

namespace engram {
namespace {

class FfRule final : public Rule {
 public:
  explicit FfRule(const FfRuleOptions& options) : o_(options) {}

  Provides provides() const override {
    const Provides own = Provides::Gradient | Provides::OtherBatches;
    return o_.in_turn ? own : own | Provides::AtOnce;
  }
  int updates() const override { return o_.iterations * (o_.in_turn && ff_ ? ff_->levels() : 1); }

  void prepare(Network& net, Rng) override {
    ff_ = find_layer<Ff>(net);
    ENGRAM_INVARIANT(ff_);  // the table of rules says which model it teaches
    for (int l = ff_->first_deciding(); l < ff_->levels(); ++l) {
      Param& head = net.params().param(ff_->head_id(l));
      head.rate = o_.head_rate, head.decay = o_.head_decay;
    }
    measures_.assign(2 * static_cast<std::size_t>(ff_->levels()) + 1, 0);
  }
  std::vector<std::string> measure_names() const override {
    std::vector<std::string> names;
    for (const char* what : {"positive_goodness", "negative_goodness"})
      for (int l = 1; l <= ff_->levels(); ++l)
        names.push_back(std::string(what) + "/" + std::to_string(l));
    names.push_back("head_loss");
    return names;
  }
  std::span<const double> measures() const override { return measures_; }
  const Tape& tape() const override { return tape_; }

  BatchStats learn(Network& net, const Batch& batch, const Pass& pass, const ErrorHook&) override {
    ParamStore& store = net.params();
    const int n = batch.rows();
    // Levels that learn now, and up to where they are computed.
    const int only = o_.in_turn ? pass.update / o_.iterations : -1;
    const int count = o_.in_turn ? only + 1 : ff_->levels();
    if (pass.update == 0) stats_ = {};
    stats_.macs += ff_->look(std::as_const(batch.x).value(), image_);
    own_.resize(static_cast<std::size_t>(n));
    for (int i = 0; i < n; ++i)
      own_[static_cast<std::size_t>(i)] = i;

    const bool heads = count == ff_->levels();
    if (heads) learn_head(store, batch, pass.update % o_.iterations == 0);
    Rng draw = pass.rng.fork("negatives", static_cast<std::uint64_t>(pass.update));
    choose_negatives(batch, heads, draw);

    stats_.macs += ff_->ascend(image_, own_, batch.target, count, positive_);
    wrong_rows_.assign(rows_.image.begin() + n, rows_.image.end());
    wrong_labels_.assign(rows_.label.begin() + n, rows_.label.end());
    stats_.macs += ff_->ascend(image_, wrong_rows_, wrong_labels_, count, negative_);
    for (int l = 0; l < count; ++l) {
      const double loss = judge(l, n, only < 0 || l == only);
      if (only >= 0 && l != only) continue;
      stats_.loss += loss / o_.iterations;
      add_gradients(store, batch, l, stats_.macs);
    }
    return stats_;
  }

 private:
  /// Softmax regression from the pass under the neutral label; leaves logits_. `first`: of its
  /// updates with the batch, before which it has not been told the labels.
  void learn_head(ParamStore& store, const Batch& batch, bool first) {
    const int n = batch.rows(), c = ff_->labels();
    none_.assign(static_cast<std::size_t>(n), Ff::kNeutral);
    stats_.macs += ff_->ascend(image_, own_, none_, ff_->levels(), neutral_);
    const Mat logits = logits_.resize(n, c);
    stats_.macs += ff_->read_out(neutral_, logits);
    const BatchStats head = cross_entropy(logits_, batch, error_);
    measures_.back() = head.loss;
    if (first) stats_.correct = head.correct, stats_.counted = head.counted;
    for (int l = ff_->first_deciding(); l < ff_->levels(); ++l) {
      add_product(store, ff_->head_id(l), 1, neutral_.u[static_cast<std::size_t>(l)].value(),
                  std::as_const(error_).value());
      const double work = static_cast<double>(n) * c * ff_->width(l);
      stats_.macs += {work, work};
    }
  }

  /// A wrong label per image that has one: by the head's softmax, or all alike.
  void choose_negatives(const Batch& batch, bool head, Rng draw) {
    draw_wrong_labels(batch, ff_->labels(), o_.negatives, draw, rows_);
    if (o_.negative_draw != NegativeDraw::Hard || !head) return;
    Rng hard = draw.fork("hard");
    for (std::size_t r = static_cast<std::size_t>(rows_.positives); r < rows_.image.size(); ++r) {
      const int image = rows_.image[r], target = batch.target[static_cast<std::size_t>(image)];
      const auto allowed = allowed_labels(batch, image, o_.negatives);
      const real* z = std::as_const(logits_).value().row(image);
      const auto wrong = [&](int c) {
        return c != target && (allowed.empty() || allowed[static_cast<std::size_t>(c)]);
      };
      double most = -std::numeric_limits<double>::infinity(), sum = 0;
      for (int c = 0; c < ff_->labels(); ++c)
        if (wrong(c)) most = std::max(most, static_cast<double>(z[c]));
      for (int c = 0; c < ff_->labels(); ++c)
        if (wrong(c)) sum += std::exp(static_cast<double>(z[c]) - most);
      double left = hard.uniform() * sum;
      for (int c = 0; c < ff_->labels(); ++c) {
        if (!wrong(c)) continue;
        rows_.label[r] = c;  // the last one takes what rounding leaves
        left -= std::exp(static_cast<double>(z[c]) - most);
        if (left < 0) break;
      }
    }
  }

  /// Fills a_plus_ and a_minus_ of the level with derivatives of its loss with respect to its
  /// pre-activations, negated for descent, and returns the loss.
  double judge(int level, int n, bool learns) {
    const auto at = static_cast<std::size_t>(level);
    const double threshold = ff_->threshold(level);
    const int width = ff_->width(level);
    const double unit = ff_->options().goodness == FfGoodness::Sum ? 1 : 1. / width;
    const int negatives = static_cast<int>(wrong_rows_.size());
    double loss = 0, mean[2] = {0, 0};
    const auto side = [&](const Ff::Levels& s, int rows, bool positive, Signal& a) {
      const Mat out = a.resize(rows, width);
      for (int i = 0; i < rows; ++i) {
        const double g = static_cast<double>(s.goodness[at][static_cast<std::size_t>(i)]);
        const double logit = g - threshold;
        mean[positive ? 0 : 1] += g / rows;
        const double signed_logit = positive ? logit : -logit;
        const bool alone = positive && rows_.paired[static_cast<std::size_t>(i)] == 0;
        const double wrongness = alone ? 0 : 1 / (1 + std::exp(signed_logit));
        if (!alone)
          loss += (std::max(-signed_logit, 0.) + std::log1p(std::exp(-std::abs(logit)))) / (2 * n);
        const real slope = static_cast<real>((positive ? -1 : 1) * wrongness * unit / n);
        const real* h = s.h[at].value().row(i);
        for (int j = 0; j < width; ++j)
          out.row(i)[j] = slope * h[j];
      }
    };
    side(positive_, n, true, a_plus_);
    side(negative_, negatives, false, a_minus_);
    measures_[at] = mean[0];
    measures_[at + static_cast<std::size_t>(ff_->levels())] = mean[1];
    if (learns && o_.peer > 0) add_peers(level, n);
    return loss;
  }

  /// The mean activity is brought up to date first; the pull to the level's mean is not gated.
  void add_peers(int level, int n) {
    const Mat mean = ff_->mean_activity(level);
    const CMat h = positive_.h[static_cast<std::size_t>(level)].value();
    sums_.assign(static_cast<std::size_t>(h.cols), 0);
    kernels::add_column_sums(h, sums_);
    double all = 0;
    for (int j = 0; j < h.cols; ++j) {
      const real now = sums_[static_cast<std::size_t>(j)] / static_cast<real>(n);
      mean.data[j] = static_cast<real>(o_.peer_memory) * mean.data[j] +
                     static_cast<real>(1 - o_.peer_memory) * now;
      all += static_cast<double>(mean.data[j]) / h.cols;
    }
    for (int j = 0; j < h.cols; ++j)
      sums_[static_cast<std::size_t>(j)] =
          static_cast<real>(-o_.peer / n * (all - static_cast<double>(mean.data[j])));
    kernels::add_row(a_plus_.value(), sums_);
  }

  void add_gradients(ParamStore& store, const Batch& batch, int level, Macs& macs) {
    const CMat plus = std::as_const(a_plus_).value(), minus = std::as_const(a_minus_).value();
    add_column_sums(store, ff_->bias_id(level), plus);
    add_column_sums(store, ff_->bias_id(level), minus);
    const double dense = static_cast<double>(plus.rows + minus.rows) * plus.cols *
                         (level > 0 ? ff_->width(level - 1) : image_.x.cols());
    if (level > 0) {
      const auto below = static_cast<std::size_t>(level - 1);
      add_product(store, ff_->weight_id(level), 1, positive_.u[below].value(), plus);
      add_product(store, ff_->weight_id(level), 1, negative_.u[below].value(), minus);
      macs += {dense, dense};
      return;
    }
    // Both states of an image have the same input but for the label, and the same scale.
    const Mat by_image = by_image_.resize(plus.rows, plus.cols);
    std::ranges::fill(by_image.all(), real{0});
    const Mat gradient = opened_gradient(store, ff_->weight_id(0));
    const real strength = static_cast<real>(ff_->options().label_strength);
    const auto add = [&](CMat a, const Ff::Levels& s, std::span<const int> rows,
                         std::span<const int> labels) {
      for (int i = 0; i < a.rows; ++i) {
        const auto at = static_cast<std::size_t>(i);
        const std::span<const real> row{a.row(i), static_cast<std::size_t>(a.cols)};
        kernels::axpy(s.scale[at], row, by_image.row(rows[at]));
        kernels::axpy(s.scale[at] * strength, row, gradient.row(ff_->label_row(labels[at])));
      }
    };
    add(plus, positive_, own_, batch.target);
    add(minus, negative_, wrong_rows_, wrong_labels_);
    kernels::gemm(true, false, 1, std::as_const(image_.x).value(), by_image, 1, gradient);
    macs += {static_cast<double>(plus.rows) * plus.cols * image_.x.cols(), dense};
  }

  FfRuleOptions o_;
  Ff* ff_ = nullptr;
  Ff::Image image_;
  Ff::Levels positive_, negative_, neutral_;
  LabelledRows rows_;
  std::vector<int> own_, none_, wrong_rows_, wrong_labels_;
  Signal logits_, error_, a_plus_, a_minus_, by_image_;
  std::vector<real> sums_;
  std::vector<double> measures_;
  BatchStats stats_;  ///< of the batch, all updates so far
  Tape tape_;
};

}  // namespace

std::unique_ptr<Rule> make_ff(const FfRuleOptions& options, const RuleContext&) {
  return std::make_unique<FfRule>(options);
}

}  // namespace engram
