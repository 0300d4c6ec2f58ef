// Worlds small enough to be worked out by hand.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "learners/agent_learner.h"
#include "utils/error.h"

namespace engram {

/// States in a row. Choices are a step back and a step forward; who reaches the end gets 1, and the
/// episode is over. It is cut off after four times as many steps as there are states. Bodies see
/// where they are as a one-hot code, and begin at the left.
class ChainWorld final : public Simulation {
 public:
  explicit ChainWorld(int states = 5, int bodies = 1)
      : states_(states), at_(static_cast<std::size_t>(bodies), 0), steps_(at_) {}

  std::string describe() const override { return "chain"; }
  int bodies() const override { return static_cast<int>(at_.size()); }
  int observation_size() const override { return states_; }
  int action_size() const override { return 1; }
  CMat choices() const override { return {choices_.data(), 2, 1}; }

  void reset(Rng rng) override {
    rng_ = rng;
    std::ranges::fill(at_, 0), std::ranges::fill(steps_, 0);
  }
  void observe(Mat to) const override {
    std::ranges::fill(to.all(), real{0});
    for (int b = 0; b < to.rows; ++b)
      to.row(b)[at_[static_cast<std::size_t>(b)]] = 1;
  }
  void expert(Mat to) const override { std::ranges::fill(to.all(), real{1}); }
  void step(CMat actions, std::span<real> reward, std::span<Ended> ended) override {
    for (std::size_t b = 0; b < at_.size(); ++b) {
      const int move = actions.row(static_cast<int>(b))[0] > 0 ? 1 : -1;
      at_[b] = std::clamp(at_[b] + move, 0, states_ - 1);
      ++steps_[b];
      const bool arrived = at_[b] == states_ - 1;
      reward[b] = arrived ? real{1} : real{0};
      ended[b] = arrived                    ? Ended::Terminal
                 : steps_[b] >= 4 * states_ ? Ended::Truncated
                                            : Ended::No;
    }
  }
  void restart(std::span<const Ended> ended) override {
    for (std::size_t b = 0; b < at_.size(); ++b)
      if (ended[b] != Ended::No) at_[b] = steps_[b] = 0;
  }
  std::vector<std::string> measure_names() const override { return {"arrived"}; }
  void measures(int body, std::span<double> to) const override {
    to[0] = at_[static_cast<std::size_t>(body)] == states_ - 1;
  }
  std::vector<double> save() const override {
    std::vector<double> all(at_.begin(), at_.end());
    all.insert(all.end(), steps_.begin(), steps_.end());
    return all;
  }
  void load(std::span<const double> saved) override {
    if (saved.size() != 2 * at_.size()) throw Error(Fault::Data, "not a chain");
    for (std::size_t b = 0; b < at_.size(); ++b) {
      at_[b] = static_cast<int>(saved[b]);
      steps_[b] = static_cast<int>(saved[at_.size() + b]);
    }
  }
  Frame draw(int) const override { return {}; }

 private:
  int states_;
  std::vector<int> at_, steps_;
  std::array<real, 2> choices_{-1, 1};
  Rng rng_{0};
};

/// Bodies see three numbers that are drawn anew at every step; the expert's two are linear in them.
/// Episodes are six steps long. The reward is how near the action was.
class LinearWorld final : public Simulation {
 public:
  explicit LinearWorld(int bodies = 2, double sign = 1) : bodies_(bodies), sign_(sign) {}

  std::string describe() const override { return "linear"; }
  int bodies() const override { return bodies_; }
  int observation_size() const override { return 3; }
  int action_size() const override { return 2; }
  CMat choices() const override { return {choices_.data(), 2, 2}; }

  void reset(Rng rng) override { rng_ = rng, time_ = 0; }
  void observe(Mat to) const override {
    for (int b = 0; b < bodies_; ++b)
      for (int i = 0; i < 3; ++i)
        to.row(b)[i] = static_cast<real>(seen(b, i));
  }
  void expert(Mat to) const override {
    for (int b = 0; b < bodies_; ++b)
      for (int k = 0; k < 2; ++k)
        to.row(b)[k] = static_cast<real>(right(b, k));
  }
  void step(CMat actions, std::span<real> reward, std::span<Ended> ended) override {
    for (int b = 0; b < bodies_; ++b) {
      double far = 0;
      for (int k = 0; k < 2; ++k)
        far += std::abs(static_cast<double>(actions.row(b)[k]) - right(b, k));
      reward[static_cast<std::size_t>(b)] = static_cast<real>(-far);
      taken.push_back(static_cast<double>(actions.row(b)[0]));
    }
    ++time_;
    std::ranges::fill(ended, time_ % 6 == 0 ? Ended::Truncated : Ended::No);
  }
  void restart(std::span<const Ended>) override {}
  std::vector<std::string> measure_names() const override { return {}; }
  void measures(int, std::span<double>) const override {}
  std::vector<double> save() const override { return {static_cast<double>(time_)}; }
  void load(std::span<const double> saved) override {
    time_ = static_cast<std::uint64_t>(saved[0]);
  }
  Frame draw(int) const override { return {}; }

  double right(int b, int k) const {
    constexpr double kWeights[2][3] = {{0.5, -1, 0.25}, {-0.75, 0.5, 1}};
    double sum = k == 0 ? 0.1 : -0.2;
    for (int i = 0; i < 3; ++i)
      sum += kWeights[k][i] * seen(b, i);
    return sign_ * sum;
  }
  std::vector<double> taken;  ///< the first number of every action, in the order of the steps

 private:
  double seen(int b, int i) const {
    return Rng(7)
        .fork("seen", time_)
        .fork("body", static_cast<std::uint64_t>(3 * b + i))
        .uniform(-1, 1);
  }
  int bodies_;
  double sign_;
  std::uint64_t time_ = 0;
  std::array<real, 4> choices_{0, 0, 1, 1};
  Rng rng_{0};
};

}  // namespace engram
