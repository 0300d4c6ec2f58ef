#include "benchmarks/simulations/drive.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "utils/error.h"
#include "utils/parallel.h"

namespace engram {
namespace {

constexpr TrackPlan curves(Turns turns, double least_radius, double most_radius) {
  return {.turns = turns, .least_radius = least_radius, .most_radius = most_radius};
}
constexpr TrackPlan s_bends() {
  TrackPlan plan = curves(Turns::Alternating, 30, 45);
  plan.blocks = 5;
  plan.least_straight = 10, plan.most_straight = 25;
  return plan;
}
constexpr TrackPlan blocks_of_pgdrive() {
  TrackPlan plan;
  plan.straight_alone = 1.0 / 6;
  return plan;
}

constexpr std::array<DriveRegime, 7> kRegimes{{
    {.name = "right", .tracks = curves(Turns::Right, 45, 60)},
    {.name = "left", .tracks = curves(Turns::Left, 45, 60)},
    {.name = "tight", .tracks = curves(Turns::Either, 25, 35)},
    {.name = "s_bends", .tracks = s_bends()},
    {.name = "traffic", .tracks = curves(Turns::Either, 25, 60), .vehicles = 3},
    {.name = "slippery", .tracks = curves(Turns::Either, 25, 60), .grip = 3},
    {.name = "mixed", .tracks = blocks_of_pgdrive()},
}};
constexpr std::array<double, 5> kSteers{-0.4, -0.12, 0, 0.12, 0.4};
constexpr std::array<double, 3> kThrottles{-1, 0.2, 1};
constexpr std::size_t kChoices = kSteers.size() * kThrottles.size();
constexpr std::string_view kState = "drive";

class Drive : public Simulation {
 public:
  Drive(const DriveRegime& regime, Role role, int bodies, int beams)
      : regime_(regime),
        role_(role),
        lidar_(beams),
        worlds_(static_cast<std::size_t>(bodies)),
        episodes_(worlds_.size()) {
    for (std::size_t k = 0; k < kChoices; ++k) {
      choices_[2 * k] = static_cast<real>(kSteers[k / kThrottles.size()]);
      choices_[2 * k + 1] = static_cast<real>(kThrottles[k % kThrottles.size()]);
    }
    begin_all();
  }

  std::string describe() const override {
    return fmt::format("drive {}: {} cars{}, {} lidar beams", regime_.name, bodies(),
                       role_ == Role::Test ? " on held-out tracks" : "", lidar_.beams());
  }
  int bodies() const override { return static_cast<int>(worlds_.size()); }
  int observation_size() const override { return DriveWorld::kNumbers + lidar_.beams(); }
  int action_size() const override { return 2; }
  CMat choices() const override { return {choices_.data(), kChoices, 2}; }

  void reset(Rng rng) override {
    seed_ = seed_of(rng);
    std::fill(episodes_.begin(), episodes_.end(), 0);
    begin_all();
  }

  void observe(Mat to) const override {
    ENGRAM_INVARIANT(to.rows == bodies() && to.cols == observation_size());
    for_rows(bodies(), [&](int i) { worlds_[at(i)].see(lidar_, {to.row(i), at(to.cols)}); });
  }

  void expert(Mat to) const override {
    ENGRAM_INVARIANT(to.rows == bodies() && to.cols == action_size());
    for_rows(bodies(), [&](int i) {
      const DriveAction action = worlds_[at(i)].expert(regime_);
      to.row(i)[0] = static_cast<real>(action.steer);
      to.row(i)[1] = static_cast<real>(action.throttle);
    });
  }

  void step(CMat actions, std::span<real> reward, std::span<Ended> ended) override {
    ENGRAM_INVARIANT(actions.rows == bodies() && actions.cols == action_size());
    ENGRAM_INVARIANT(std::ssize(reward) == bodies() && std::ssize(ended) == bodies());
    refuse_nonsense(actions);
    for_rows(bodies(), [&](int i) {
      DriveWorld& world = worlds_[at(i)];
      const real* const action = actions.row(i);
      reward[at(i)] = static_cast<real>(world.step(regime_, {action[0], action[1]}));
      ended[at(i)] = ended_by(world.end());
    });
  }

  void restart(std::span<const Ended> ended) override {
    ENGRAM_INVARIANT(std::ssize(ended) == bodies());
    for (int i = 0; i < bodies(); ++i) {
      if (ended[at(i)] == Ended::No) continue;
      ++episodes_[at(i)];
      begin(i);
    }
  }

  std::vector<std::string> measure_names() const override {
    return {"arrived", "progress", "crashed", "out_of_road", "speed"};
  }
  void measures(int body, std::span<double> to) const override {
    ENGRAM_INVARIANT(to.size() == 5);
    const DriveWorld& world = worlds_[at(body)];
    to[0] = world.end() == DriveEnd::Arrived;
    to[1] = to[0] > 0 ? 1 : world.progress();
    to[2] = world.end() == DriveEnd::Crashed;
    to[3] = world.end() == DriveEnd::OutOfRoad;
    to[4] = world.mean_speed();
  }

  std::vector<double> save() const override {
    StateWriter out(kState, bodies());
    out.add(seed_);
    for (std::size_t i = 0; i < worlds_.size(); ++i) {
      out.add(episodes_[i]);
      worlds_[i].save(out);
    }
    return out.take();
  }
  void load(std::span<const double> saved) override {
    Drive fresh(*this);  // so that what is refused changes nothing
    StateReader in(kState, bodies(), saved);
    fresh.seed_ = in.whole(0, kMostSeed);
    for (int i = 0; i < bodies(); ++i) {
      fresh.episodes_[at(i)] = static_cast<int>(in.whole(0, 1e9));
      fresh.begin(i);
      fresh.worlds_[at(i)].load(in);
    }
    in.end();
    *this = std::move(fresh);
  }

  Frame draw(int body) const override { return worlds_[at(body)].draw(lidar_); }

 private:
  static std::size_t at(int i) { return static_cast<std::size_t>(i); }
  static Ended ended_by(DriveEnd end) {
    return end == DriveEnd::None      ? Ended::No
           : end == DriveEnd::TooLong ? Ended::Truncated
                                      : Ended::Terminal;
  }
  void begin_all() {
    for (int i = 0; i < bodies(); ++i)
      begin(i);
  }
  void begin(int body) {
    const auto episode = static_cast<std::int64_t>(episodes_[at(body)]);
    const auto number = static_cast<int>((body + episode * bodies()) % kHeldOutTracks);
    const Rng own = Rng(static_cast<std::uint64_t>(seed_))
                        .fork("body", at(body))
                        .fork("episode", static_cast<std::uint64_t>(episode));
    worlds_[at(body)].begin(regime_,
                            role_ == Role::Test ? held_out_track(regime_.name, number) : own);
  }

  DriveRegime regime_;
  Role role_;
  Lidar lidar_;
  std::array<real, 2 * kChoices> choices_{};
  std::vector<DriveWorld> worlds_;
  std::vector<int> episodes_;  ///< finished ones of each body
  double seed_ = 0;
};

}  // namespace

std::vector<std::string> drive_regimes() {
  std::vector<std::string> out;
  for (const DriveRegime& regime : kRegimes)
    out.emplace_back(regime.name);
  return out;
}

const DriveRegime& drive_regime(std::string_view name) {
  const auto known = std::find_if(kRegimes.begin(), kRegimes.end(),
                                  [&](const DriveRegime& r) { return r.name == name; });
  ENGRAM_INVARIANT(known != kRegimes.end());
  return *known;
}

Rng held_out_track(std::string_view regime, int number) {
  return Rng(0).fork("held_out").fork(regime, static_cast<std::uint64_t>(number));
}

std::unique_ptr<Simulation> make_drive(const SimulationOptions& options, std::string_view regime,
                                       Role role) {
  const int usual = role == Role::Train ? 1 : kHeldOutTracks;
  return std::make_unique<Drive>(drive_regime(regime), role,
                                 options.bodies > 0 ? options.bodies : usual, options.lidar_beams);
}

}  // namespace engram
