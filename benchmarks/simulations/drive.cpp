#include "benchmarks/simulations/drive.h"

#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>

#include "benchmarks/simulations/saved_state.h"
#include "utils/error.h"

namespace engram {
namespace {

constexpr std::array<std::string_view, 7> kRegimes{"right",   "left",     "tight", "s_bends",
                                                   "traffic", "slippery", "mixed"};

// A straight road of 400 m, until the world stands.
class Drive : public Simulation {
 public:
  Drive(std::string_view regime, int bodies, int beams)
      : regime_(regime), beams_(beams), cars_(static_cast<std::size_t>(bodies)) {
    for (std::size_t k = 0; k < 15; ++k) {
      constexpr std::array<real, 5> kSteers{real(-.4), real(-.12), 0, real(.12), real(.4)};
      constexpr std::array<real, 3> kThrottles{-1, real(.2), 1};
      choices_[2 * k] = kSteers[k / 3], choices_[2 * k + 1] = kThrottles[k % 3];
    }
  }
  std::string describe() const override { return fmt::format("drive {}", regime_); }
  int bodies() const override { return static_cast<int>(cars_.size()); }
  int observation_size() const override { return 35 + beams_; }
  int action_size() const override { return 2; }
  CMat choices() const override { return {choices_.data(), 15, 2}; }
  void reset(Rng rng) override {
    seed_ = seed_of(rng);
    std::fill(cars_.begin(), cars_.end(), Car{});
  }
  void observe(Mat to) const override {
    for (int i = 0; i < bodies(); ++i) {
      const Car& car = cars_[at(i)];
      std::fill(to.row(i), to.row(i) + to.cols, real{1});
      to.row(i)[0] = static_cast<real>(std::clamp(.5 + car.lateral / 10.5, 0., 1.));
      to.row(i)[1] = static_cast<real>(std::clamp(.5 - car.lateral / 10.5, 0., 1.));
      to.row(i)[2] = static_cast<real>(std::clamp(.5 + car.heading / 3.1416, 0., 1.));
      to.row(i)[3] = static_cast<real>(car.speed / 33.4);
    }
  }
  void expert(Mat to) const override {
    for (int i = 0; i < bodies(); ++i) {
      const Car& car = cars_[at(i)];
      to.row(i)[0] = static_cast<real>(std::clamp(-.02 * car.lateral - .3 * car.heading, -1., 1.));
      to.row(i)[1] = static_cast<real>(std::clamp(20 - car.speed, -1., 1.));
    }
  }
  void step(CMat actions, std::span<real> reward, std::span<Ended> ended) override {
    refuse_nonsense(actions);
    for (int i = 0; i < bodies(); ++i) {
      Car& car = cars_[at(i)];
      reward[at(i)] = 0;
      if (car.ended == Ended::No) {
        const double steer = std::clamp<double>(actions.row(i)[0], -1, 1);
        const double throttle = std::clamp<double>(actions.row(i)[1], -1, 1);
        car.speed = std::clamp(car.speed + .25 * throttle, 0., 33.3);
        car.heading += .1 * car.speed * std::tan(steer * .7) / 2.22;
        const double ahead = .1 * car.speed * std::cos(car.heading);
        car.along += ahead;
        car.lateral += .1 * car.speed * std::sin(car.heading);
        reward[at(i)] = static_cast<real>(ahead);
        ++car.steps;
        if (car.along > 400) car.ended = Ended::Terminal, reward[at(i)] = 20;
        if (std::abs(car.lateral) > 5.25) car.ended = Ended::Terminal, reward[at(i)] = -5;
        if (car.ended == Ended::No && car.steps == 800) car.ended = Ended::Truncated;
      }
      ended[at(i)] = car.ended;
    }
  }
  void restart(std::span<const Ended> ended) override {
    for (int i = 0; i < bodies(); ++i)
      if (ended[at(i)] != Ended::No) cars_[at(i)] = Car{};
  }
  std::vector<std::string> measure_names() const override {
    return {"arrived", "progress", "crashed", "out_of_road", "speed"};
  }
  void measures(int body, std::span<double> to) const override {
    const Car& car = cars_[at(body)];
    to[0] = car.along > 400, to[1] = std::clamp(car.along / 400, 0., 1.), to[2] = 0;
    to[3] = std::abs(car.lateral) > 5.25;
    to[4] = car.steps > 0 ? car.along / (.1 * car.steps) : 0;
  }
  std::vector<double> save() const override {
    StateWriter out("drive", bodies());
    out.add(seed_);
    for (const Car& car : cars_) {
      out.add(car.along), out.add(car.lateral), out.add(car.heading), out.add(car.speed);
      out.add(car.steps), out.add(static_cast<double>(car.ended));
    }
    return out.take();
  }
  void load(std::span<const double> saved) override {
    StateReader in("drive", bodies(), saved);
    seed_ = in.whole(0, kMostSeed);
    for (Car& car : cars_) {
      car.along = in.number(-1e4, 1e4), car.lateral = in.number(-1e4, 1e4);
      car.heading = in.number(-1e4, 1e4), car.speed = in.number(0, 40);
      car.steps = static_cast<int>(in.whole(0, 800));
      car.ended = static_cast<Ended>(in.whole(0, 2));
    }
    in.end();
  }
  Frame draw(int) const override { return {}; }

 private:
  struct Car {
    double along = 5, lateral = 0, heading = 0, speed = 0;
    int steps = 0;
    Ended ended = Ended::No;
  };
  static std::size_t at(int i) { return static_cast<std::size_t>(i); }

  std::string regime_;
  int beams_;
  std::array<real, 30> choices_{};
  std::vector<Car> cars_;
  double seed_ = 0;
};

}  // namespace

std::vector<std::string> drive_regimes() {
  return {kRegimes.begin(), kRegimes.end()};
}

std::unique_ptr<Simulation> make_drive(const SimulationOptions& options, std::string_view regime,
                                       Role role) {
  const int usual = role == Role::Train ? 1 : 20;
  return std::make_unique<Drive>(regime, options.bodies > 0 ? options.bodies : usual,
                                 options.lidar_beams);
}

}  // namespace engram
