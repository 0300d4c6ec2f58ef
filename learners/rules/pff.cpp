// Predictive forward-forward (Ororbia & Mali 2023, arXiv 2301.01452), after the authors' published
// code. Every level of the representation circuit learns to tell images with their true label from
// the same images with a wrong one by its own goodness; K steps of the circuit for a batch, each
// followed by a step of the optimiser. Nothing is sent through a level, from one level to another
// or through time: the other levels' and the last step's states are constants.
//   p = sigmoid(threshold - goodness) with low goodness for positives, sigmoid(goodness -
//   threshold) with high; loss = binary cross-entropy of p, mean over all rows
//   D = 2 (1 - memory) / N (lab - p) z  (low), 2 (1 - memory) / N (p - lab) z  (high)
//   dW1 = norm(x)^T D1, dV2 = norm(z2)^T D1, dW2 = norm(z1)^T D2, dV = strength y^T D2, ...
// z is the state after the step, also where it is all memory: relu has derivative 1 in their code.
#include <algorithm>
#include <cmath>

#include "learners/forward_forward/pff_generator.h"
#include "learners/forward_forward/slice_gradients.h"
#include "learners/forward_forward/wrong_labels.h"
#include "learners/loss.h"
#include "learners/rules/rules.h"
#include "utils/error.h"
#include "utils/kernels.h"
#include "utils/parallel.h"

namespace engram {
namespace {

class PffRule final : public Rule {
 public:
  explicit PffRule(const PffRuleOptions& options) : o_(options), generator_(options) {}

  Provides provides() const override {
    return Provides::Gradient | Provides::OtherBatches | Provides::AtOnce;
  }
  int updates() const override { return updates_; }

  void prepare(Network& net, Rng) override {
    pff_ = find_layer<Pff>(net);
    ENGRAM_INVARIANT(pff_);  // the table of rules says which model it teaches
    updates_ = pff_->options().steps;
    pff_->set_generates(o_.generative);
    for (const Pff::Slice s : {Pff::Gy, Pff::G2, Pff::G1}) {
      Param& p = net.params().param(pff_->id(s));
      p.rate = o_.generative_rate, p.trainable = o_.generative;
    }
  }

  std::vector<std::string> measure_names() const override {
    return {"positive_goodness/1", "positive_goodness/2", "negative_goodness/1",
            "negative_goodness/2", "goodness_loss_last",  "readout_loss",
            "generative_loss",     "image_error",         "alive_laterals"};
  }
  std::span<const double> measures() const override { return measures_; }
  const Tape& tape() const override { return tape_; }

  BatchStats learn(Network& net, const Batch& batch, const Pass& pass, const ErrorHook&) override {
    if (pass.update == 0) start(batch, pass);
    if (pass.update > 0) stats_.macs += pff_->drive(sweep_);
    represent(pass);
    add_gradients(net.params());
    std::swap(z1_, next1_), std::swap(z2_, next2_);
    if (o_.generative) generate(net.params(), batch, pass);
    if (pass.update == updates_ - 1) finish(net.params());
    return stats_;
  }

 private:
  struct Scores {
    double loss = 0, positive[2] = {0, 0}, negative[2] = {0, 0};
  };

  /// Draws negatives, sweeps, and estimates how many labels the network knows already.
  void start(const Batch& batch, const Pass& pass) {
    draw_wrong_labels(batch, pff_->labels(), o_.negatives, pass.rng.fork("negatives"), rows_);
    stats_ = {}, loss_sum_ = 0;
    probe(batch);
    stats_.macs += pff_->sweep(std::as_const(batch.x).value(), sweep_);
    const int n = pff_->hidden();
    const Mat z1 = z1_.resize(rows_.rows(), n), z2 = z2_.resize(rows_.rows(), n);
    for (int i = 0; i < rows_.rows(); ++i) {
      const int image = rows_.image[static_cast<std::size_t>(i)];
      std::copy_n(std::as_const(sweep_.z1).value().row(image), n, z1.row(i));
      std::copy_n(std::as_const(sweep_.z2).value().row(image), n, z2.row(i));
    }
    if (o_.readout_source == ReadoutSource::Unclamped)
      normalise_rows(std::as_const(sweep_.z2).value(), unclamped_.resize(batch.rows(), n));
    if (o_.generative) {
      shown_ = o_.generative_rows == GeneratedRows::All ? rows_.rows() : rows_.positives;
      generator_.start(*pff_, shown_, pass.rng);
    }
  }

  void probe(const Batch& batch) {
    const int count = std::min(o_.train_probe, batch.rows());
    if (count == 0) {
      stats_.correct = std::nan("");
      return;
    }
    const CMat x = std::as_const(batch.x).value();
    std::copy_n(x.data, static_cast<std::size_t>(count) * x.cols,
                probe_x_.resize(count, x.cols).data);
    int right = 0;
    tried_.assign(batch.mask.empty() ? 0 : static_cast<std::size_t>(pff_->labels()), 0);
    for (int i = 0; i < count && !tried_.empty(); ++i) {
      const auto mask = batch.mask[static_cast<std::size_t>(i)];
      for (std::size_t c = 0; c < tried_.size(); ++c)
        tried_[c] |= mask.empty() || mask[c];
    }
    stats_.macs += pff_->score(probe_x_, tried_, probe_, trial_);
    for (int i = 0; i < count; ++i) {
      const auto at = static_cast<std::size_t>(i);
      const auto mask = batch.mask.empty() ? std::span<const std::uint8_t>{} : batch.mask[at];
      right += predicted_class({std::as_const(probe_.out).value().row(i),
                                static_cast<std::size_t>(pff_->labels())},
                               mask) == batch.target[at];
    }
    stats_.correct = static_cast<double>(right) / count * batch.rows();
  }

  /// The next state of both levels, in next1_ and next2_, and what they should have been: D.
  void represent(const Pass& pass) {
    const int rows = rows_.rows(), n = pff_->hidden();
    const Mat u1 = u1_.resize(rows, n), u2 = u2_.resize(rows, n);
    const Mat down = down_.resize(rows, n), up = up_.resize(rows, n);
    normalise_rows(z1_.value(), u1), normalise_rows(z2_.value(), u2);
    kernels::gemm(false, false, 1, u2, pff_->weight(Pff::V2), 0, down);
    kernels::gemm(false, false, 1, u1, pff_->weight(Pff::W2), 0, up);
    pff_->lateral_weights(1, lateral1_), pff_->lateral_weights(2, lateral2_);
    pff_->label_drive(by_label_);
    const auto size = static_cast<std::size_t>(rows) * n;
    const real* noise1 = draw_noise(pass, 1, size);
    const bool gated = o_.relu_gradient == ReluGradient::True;
    if (gated) open1_.resize(size), open2_.resize(size);
    goodness1_.resize(static_cast<std::size_t>(rows)), goodness2_.resize(goodness1_.size());
    pff_->advance({down, std::as_const(sweep_.drive).value(), std::as_const(z1_).value(),
                   std::as_const(lateral1_).value(), nullptr, rows_.image.data(), noise1,
                   next1_.resize(rows, n), goodness1_.data(), gated ? open1_.data() : nullptr});
    const real* noise2 = draw_noise(pass, 2, size);
    pff_->advance({up, std::as_const(by_label_).value(), std::as_const(z2_).value(),
                   std::as_const(lateral2_).value(), nullptr, rows_.label.data(), noise2,
                   next2_.resize(rows, n), goodness2_.data(), gated ? open2_.data() : nullptr});
    scores_ = {};
    scores_.loss = judge(goodness1_, next1_, gated ? open1_.data() : nullptr, 0, d1_) +
                   judge(goodness2_, next2_, gated ? open2_.data() : nullptr, 1, d2_);
    loss_sum_ += scores_.loss;
    stats_.loss = loss_sum_ / (pass.update + 1);
    const int c = pff_->labels(), g = pff_->options().lateral > 0 ? pff_->options().group : 0;
    // Forward and gradient of W2 and V2; laterals; the input's gradient for images, not for states.
    const double square = static_cast<double>(rows) * n * n;
    const double dense_lateral = g > 0 ? 4 * square : 0;
    stats_.macs += {4 * square + 4. * rows * n * g +
                        static_cast<double>(rows_.positives) * n * (pff_->pixels() + 2. * c) +
                        static_cast<double>(rows) * n,
                    4 * square + dense_lateral + static_cast<double>(rows) * n * pff_->pixels() +
                        2. * rows * n * c};
  }

  const real* draw_noise(const Pass& pass, int level, std::size_t size) {
    if (o_.noise == 0) return nullptr;
    noise_.resize(size);
    pass.rng.fork("noise", static_cast<std::uint64_t>(2 * pass.update + level))
        .normals(o_.noise, noise_);
    return noise_.data();
  }

  /// d <- derivative of the level's loss with respect to its pre-activations; returns the loss.
  double judge(const std::vector<real>& goodness, const Signal& state, const std::uint8_t* open,
               int level, Signal& d) {
    const CMat z = state.value();
    const Mat out = d.resize(z.rows, z.cols);
    const bool low = pff_->options().positive_goodness == PositiveGoodness::Low;
    const double threshold = o_.threshold, n = z.rows;
    const double factor = 2 * (1 - pff_->options().memory) / n;
    double loss = 0;
    slope_.resize(goodness.size());
    const int negatives = z.rows - rows_.positives;
    for (int i = 0; i < z.rows; ++i) {
      const auto at = static_cast<std::size_t>(i);
      const bool positive = i < rows_.positives;
      const double g = static_cast<double>(goodness[at]);
      if (positive)
        scores_.positive[level] += g / rows_.positives;
      else
        scores_.negative[level] += g / negatives;
      slope_[at] = 0;
      if (positive && !rows_.paired[at]) continue;  // nothing to tell it from
      const double logit = low ? threshold - g : g - threshold;
      loss +=
          (std::max(logit, 0.) - (positive ? logit : 0) + std::log1p(std::exp(-std::abs(logit)))) /
          n;
      const double p = 1 / (1 + std::exp(-logit)), lab = positive ? 1 : 0;
      slope_[at] = static_cast<real>(factor * (low ? lab - p : p - lab));
    }
    for_rows(z.rows, [&](int i) {
      const real slope = slope_[static_cast<std::size_t>(i)];
      const real* from = z.row(i);
      real* to = out.row(i);
      for (int j = 0; j < z.cols; ++j)
        to[j] = slope * from[j];
      if (!open) return;
      const std::uint8_t* gate = open + static_cast<std::size_t>(i) * z.cols;
      for (int j = 0; j < z.cols; ++j)
        to[j] *= static_cast<real>(gate[j]);
    });
    return loss;
  }

  void add_gradients(ParamStore& store) {
    const CMat d1 = std::as_const(d1_).value(), d2 = std::as_const(d2_).value();
    const CMat u1 = std::as_const(u1_).value(), u2 = std::as_const(u2_).value();
    // Both rows of an image have the same input, so that its gradient takes the sum of their
    // errors.
    const Mat by_image = by_image_.resize(rows_.positives, d1.cols);
    std::copy_n(d1.data, by_image.size(), by_image.data);
    for (int i = rows_.positives; i < rows_.rows(); ++i)
      kernels::axpy(1, {d1.row(i), static_cast<std::size_t>(d1.cols)},
                    by_image.row(rows_.image[static_cast<std::size_t>(i)]));
    add_product(store, pff_->id(Pff::W1), 1, std::as_const(sweep_.normed).value(), by_image);
    add_column_sums(store, pff_->id(Pff::B1), by_image);
    add_product(store, pff_->id(Pff::V2), 1, u2, d1);
    add_product(store, pff_->id(Pff::W2), 1, u1, d2);
    add_column_sums(store, pff_->id(Pff::B2), d2);
    const Mat v = opened_gradient(store, pff_->id(Pff::V));
    const real strength = static_cast<real>(pff_->options().label_strength);
    for (int i = 0; i < d2.rows; ++i)
      kernels::axpy(strength, {d2.row(i), static_cast<std::size_t>(d2.cols)},
                    v.row(rows_.label[static_cast<std::size_t>(i)]));
    if (pff_->options().lateral > 0) {
      lateral_gradient(store, Pff::L1, std::as_const(z1_).value(), d1);
      lateral_gradient(store, Pff::L2, std::as_const(z2_).value(), d2);
    }
    readout(store);
    for (const Pff::Slice s : {Pff::W1, Pff::W2, Pff::V2, Pff::V, Pff::W})
      add_norm_decay(store, pff_->id(s), o_.norm_decay);
  }

  /// The fast classifier: softmax regression from the second level, positives alone.
  void readout(ParamStore& store) {
    const int rows = rows_.positives, c = pff_->labels();
    const bool clamped = o_.readout_source == ReadoutSource::Clamped;
    const CMat u{clamped ? std::as_const(u2_).value().data : std::as_const(unclamped_).value().data,
                 rows, pff_->hidden()};
    const Mat z3 = logits_.resize(rows, c), error = error_.resize(rows, c);
    pff_->read_out(u, z3);
    const real scale = static_cast<real>(pff_->options().label_strength / rows);
    readout_loss_ = 0;
    for (int i = 0; i < rows; ++i)
      readout_loss_ += kernels::softmax_cross_entropy({z3.row(i), static_cast<std::size_t>(c)},
                                                      rows_.label[static_cast<std::size_t>(i)], {},
                                                      scale, error.row(i)) /
                       rows;
    add_product(store, pff_->id(Pff::W), 1, u, error);
    add_column_sums(store, pff_->id(Pff::B), error);
  }

  /// Of raw synapses within groups: -lateral zp^T D, with the signs of competition; 0 for dead
  /// ones.
  void lateral_gradient(ParamStore& store, Pff::Slice slice, CMat previous, CMat d) {
    const CMat raw = pff_->weight(slice);
    const Mat gradient = opened_gradient(store, pff_->id(slice));
    const int g = raw.cols, groups = raw.rows / g;
    const real strength = static_cast<real>(pff_->options().lateral);
    constexpr int kGroups = 8, kMembers = Pff::kMembers;
    const Mat sums = lateral_sums_.resize(raw.rows, kMembers);
    for (int part = 0; part < g; part += kMembers)
      parallel_for((groups + kGroups - 1) / kGroups, [&](int tile) {
        const int first = tile * kGroups * g, last = std::min(groups, (tile + 1) * kGroups) * g;
        const int count = std::min(kMembers, g - part);
        std::fill(sums.row(first), sums.row(last - 1) + kMembers, real{0});
        for (int row = 0; row < d.rows; ++row)
          for (int group = first; group < last; group += g) {
            real members[kMembers] = {};
            std::copy_n(d.row(row) + group + part, count, members);
            for (int unit = group; unit < group + g; ++unit) {
              const real active = previous.row(row)[unit];
              real* to = sums.row(unit);
#pragma omp simd
              for (int j = 0; j < kMembers; ++j)
                to[j] += active * members[j];
            }
          }
        for (int unit = first; unit < last; ++unit)
          for (int j = part; j < part + count; ++j) {
            const real sign = j == unit % g ? strength : -strength;
            gradient.row(unit)[j] =
                raw.row(unit)[j] > 0 ? sign * sums.row(unit)[j - part] : real{0};
          }
      });
  }

  void generate(ParamStore& store, const Batch& batch, const Pass& pass) {
    const auto first = [this](const Signal& z) {
      return CMat{z.value().data, shown_, pff_->hidden()};
    };
    generative_loss_ = generator_.learn(
        *pff_, store, batch.x.value(),
        std::span(rows_.image).first(static_cast<std::size_t>(shown_)), first(z1_), first(z2_),
        pass.rng.fork("generative", static_cast<std::uint64_t>(pass.update)), stats_.macs);
  }

  void finish(ParamStore& store) {
    double alive = 0, all = 0;
    for (const Pff::Slice s : {Pff::L1, Pff::L2})
      for (const real w : CMat(store.value(pff_->id(s))).all())
        alive += w > 0, all += 1;
    measures_ = {scores_.positive[0], scores_.positive[1],
                 scores_.negative[0], scores_.negative[1],
                 scores_.loss,        readout_loss_,
                 generative_loss_,    o_.generative ? generator_.image_error() : 0.,
                 alive / all};
  }

  PffRuleOptions o_;
  Pff* pff_ = nullptr;
  int updates_ = 1, shown_ = 0;
  LabelledRows rows_;
  Pff::Sweep sweep_;
  PffGenerator generator_;
  Signal z1_, z2_, next1_, next2_, u1_, u2_, unclamped_, down_, up_, lateral1_, lateral2_,
      by_label_;
  Signal lateral_sums_, d1_, d2_, by_image_, logits_, error_, probe_x_;
  Record probe_;
  Pff::Trial trial_;
  std::vector<real> noise_, goodness1_, goodness2_, slope_;
  std::vector<std::uint8_t> open1_, open2_, tried_;
  Scores scores_;
  BatchStats stats_;
  double loss_sum_ = 0, readout_loss_ = 0, generative_loss_ = 0;
  std::array<double, 9> measures_{};
  Tape tape_;
};

}  // namespace

std::unique_ptr<Rule> make_pff(const PffRuleOptions& options, const RuleContext&) {
  return std::make_unique<PffRule>(options);
}

}  // namespace engram
