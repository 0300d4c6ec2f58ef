// Gates that are learnt: hard attention to the task (Serra, Suris, Miron & Karatzoglou 2018,
// arXiv 1801.01423). A task t has an embedding e_t for every unit of a hidden layer, and the unit's
// output is multiplied by a = sigmoid(s e_t): softly while s is small, nearly 0 or 1 when it is
// large. The strategy `hat` sets s and makes the embeddings' gradient.
#pragma once

#include <vector>

#include "models/gating.h"

namespace engram {

class HatGating final : public Gating {
 public:
  using Gating::Gating;
  std::string describe() const override;
  /// Error(Config) where a gated layer has places: units are gated one by one here.
  void bind(const Network& net, const FeedbackPlan& plan, ParamStore& store) override;
  void init(const Network& net, Rng rng) override;
  void refresh(const Network& net) override;
  GateMask mask(std::size_t level) const override { return masks_[level]; }

  void set_scale(double s) { scale_ = s; }
  double scale() const { return scale_; }
  /// The slice [tasks, units] of a level's embeddings.
  int embedding(std::size_t level) const { return embeddings_[level]; }

  static constexpr double kLargest = 6;  ///< of an embedding's magnitude, as the authors' code

 private:
  ParamStore* store_ = nullptr;
  double scale_ = 400;
  std::vector<int> embeddings_;
  std::vector<std::vector<real>> masks_;
};

std::unique_ptr<Gating> make_hat_gating(const GatingOptions&, int tasks);  // gatings/hat.cpp

}  // namespace engram
