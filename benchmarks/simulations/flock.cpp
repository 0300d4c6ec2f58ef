#include "benchmarks/simulations/flock.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "benchmarks/simulations/boids.h"
#include "benchmarks/simulations/saved_state.h"
#include "utils/error.h"

namespace engram {
namespace {

struct Regime {
  std::string_view name;
  double align, cohere, separate;
};
constexpr std::array<Regime, 4> kRegimes{{{"mixed", 0.125, 0.01, 2},
                                          {"align", 0.25, 0, 0},
                                          {"cohesion", 0, 0.02, 0},
                                          {"separation", 0, 0, 4}}};
constexpr int kTrained = 40, kJudged = 80, kSteps = 300;
// A force that turns any velocity into any other.
constexpr double kMostForce = 2 * Boids::kTopSpeed;
constexpr double kChosenForce = 0.3;
constexpr std::string_view kState = "flock";

Point limited(Point force) {
  return {std::clamp(force.x, -kMostForce, kMostForce),
          std::clamp(force.y, -kMostForce, kMostForce)};
}

class Flock : public Simulation {
 public:
  Flock(const Regime& regime, int bodies)
      : regime_(regime), boids_(bodies), ghosts_(bodies), seen_(static_cast<std::size_t>(bodies)) {
    for (int k = 0; k < 8; ++k) {
      const Point force = kChosenForce * direction(k * std::acos(-1.0) / 4);
      choices_[at(2 * k)] = static_cast<real>(force.x);
      choices_[at(2 * k + 1)] = static_cast<real>(force.y);
    }
  }

  std::string describe() const override {
    return fmt::format("flock {}: {} boids, {} steps", regime_.name, bodies(), kSteps);
  }
  int bodies() const override { return boids_.count(); }
  int observation_size() const override { return 8; }
  int action_size() const override { return 2; }
  CMat choices() const override { return {choices_.data(), 9, 2}; }

  void reset(Rng rng) override {
    seed_ = seed_of(rng);
    episode_ = 0;
    begin();
  }

  void observe(Mat to) const override {
    ENGRAM_INVARIANT(to.rows == bodies() && to.cols == observation_size());
    for (int i = 0; i < bodies(); ++i) {
      const Neighbours& others = seen_[at(i)];
      const Point v = boids_.velocity(i);
      const Point turn = others.near > 0 ? others.velocity - v : Point{};
      const Point way = others.near > 0 ? others.centre - boids_.centre(i) : Point{};
      const std::array<double, 8> seen{v.x / Boids::kTopSpeed,    v.y / Boids::kTopSpeed,
                                       turn.x / Boids::kTopSpeed, turn.y / Boids::kTopSpeed,
                                       way.x / Boids::kSight,     way.y / Boids::kSight,
                                       10 * others.apart.x,       10 * others.apart.y};
      std::transform(seen.begin(), seen.end(), to.row(i),
                     [](double x) { return static_cast<real>(x); });
    }
  }

  void expert(Mat to) const override {
    ENGRAM_INVARIANT(to.rows == bodies() && to.cols == action_size());
    for (int i = 0; i < bodies(); ++i) {
      const Point force = taught(i);
      to.row(i)[0] = static_cast<real>(force.x), to.row(i)[1] = static_cast<real>(force.y);
    }
  }

  void step(CMat actions, std::span<real> reward, std::span<Ended> ended) override {
    ENGRAM_INVARIANT(actions.rows == bodies() && actions.cols == action_size());
    ENGRAM_INVARIANT(std::ssize(reward) == bodies() && std::ssize(ended) == bodies());
    refuse_nonsense(actions);
    if (steps_ == kSteps) {
      std::fill(reward.begin(), reward.end(), real{0});
    } else {
      for (int i = 0; i < bodies(); ++i) {
        const Point force = limited({actions.row(i)[0], actions.row(i)[1]});
        reward[at(i)] = static_cast<real>(-length(force - taught(i)) / Boids::kTopSpeed);
        boids_.push(i, force);
      }
      ++steps_;
      look();
    }
    std::fill(ended.begin(), ended.end(), steps_ == kSteps ? Ended::Truncated : Ended::No);
  }

  void restart(std::span<const Ended> ended) override {
    ENGRAM_INVARIANT(std::ssize(ended) == bodies());
    const bool any =
        std::any_of(ended.begin(), ended.end(), [](Ended e) { return e != Ended::No; });
    if (!any) return;
    ++episode_;
    begin();
  }

  std::vector<std::string> measure_names() const override {
    return {"polarisation", "local_polarisation", "nearest", "degree"};
  }
  /// Of the flock as it flies now, whichever the body.
  void measures(int, std::span<double> to) const override {
    ENGRAM_INVARIANT(to.size() == 4);
    const FlockFigures f = boids_.figures();
    to[0] = f.polarisation, to[1] = f.local_polarisation, to[2] = f.nearest, to[3] = f.degree;
  }

  std::vector<double> save() const override {
    StateWriter out(kState, bodies());
    out.add(seed_), out.add(episode_), out.add(steps_);
    for (int i = 0; i < bodies(); ++i)
      for (const Point p : {boids_.corner(i), boids_.velocity(i)})
        out.add(p.x), out.add(p.y);
    return out.take();
  }
  void load(std::span<const double> saved) override {
    StateReader in(kState, bodies(), saved);
    Boids boids(bodies());
    const double seed = in.whole(0, kMostSeed);
    const int episode = static_cast<int>(in.whole(0, 1e9));
    const int steps = static_cast<int>(in.whole(0, kSteps));
    for (int i = 0; i < bodies(); ++i) {
      const double x = in.whole(0, Boids::kWidth), y = in.whole(0, Boids::kHeight);
      const double vx = in.number(-kMostForce, kMostForce), vy = in.number(-kMostForce, kMostForce);
      boids.place(i, {x, y}, {vx, vy});
    }
    in.end();
    seed_ = seed, episode_ = episode, steps_ = steps;
    boids_ = std::move(boids);
    look();
  }

  Frame draw(int body) const override { return draw_boids(boids_, body); }

 private:
  static std::size_t at(int i) { return static_cast<std::size_t>(i); }

  void begin() {
    boids_.scatter(Rng(static_cast<std::uint64_t>(seed_)).fork("flock", at(episode_)));
    steps_ = 0;
    look();
  }
  /// What each boid sees, as if the teacher moved those before it.
  void look() {
    ghosts_ = boids_;
    for (int i = 0; i < bodies(); ++i) {
      seen_[at(i)] = ghosts_.around(i);
      const Point force = taught(i);
      // As precise as an action.
      ghosts_.push(i, {static_cast<real>(force.x), static_cast<real>(force.y)});
    }
  }
  /// f*, for a boid that has not moved since all looked.
  Point taught(int i) const {
    const Neighbours& others = seen_[at(i)];
    Point force = regime_.separate * others.apart;
    if (others.near > 0) {
      force += regime_.align * (others.velocity - boids_.velocity(i));
      force += regime_.cohere * (others.centre - boids_.centre(i));
    }
    return limited(force);
  }

  Regime regime_;
  std::array<real, 18> choices_{};  ///< eight directions and, last, none
  Boids boids_, ghosts_;
  std::vector<Neighbours> seen_;  ///< by each boid before it moves next
  double seed_ = 0;
  int episode_ = 0, steps_ = 0;
};

}  // namespace

std::vector<std::string> flock_regimes() {
  std::vector<std::string> out;
  for (const Regime& regime : kRegimes)
    out.emplace_back(regime.name);
  return out;
}

std::unique_ptr<Simulation> make_flock(const SimulationOptions& options, std::string_view regime,
                                       Role role) {
  const int usual = role == Role::Train ? kTrained : kJudged;
  const auto known = std::find_if(kRegimes.begin(), kRegimes.end(),
                                  [&](const Regime& r) { return r.name == regime; });
  ENGRAM_INVARIANT(known != kRegimes.end());
  return std::make_unique<Flock>(*known, options.bodies > 0 ? options.bodies : usual);
}

}  // namespace engram
