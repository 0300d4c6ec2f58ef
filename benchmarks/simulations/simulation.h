// A world in which agents act and learn, in the place of a data set: a body sees an observation,
// an action moves it, a reward says how good that was. Many bodies move at once, worlds side by
// side or the members of one flock. A stream of them is a list of regimes: the same bodies, other
// rules.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "utils/matrix.h"
#include "utils/rng.h"

namespace engram {

/// How a body's episode stands after a step. After a truncated one the world would have gone on, so
/// what was to come still counts for learners of values.
enum class Ended : std::uint8_t { No, Terminal, Truncated };

/// A picture of the world, RGB, row by row.
struct Frame {
  int height = 0, width = 0;
  std::vector<std::uint8_t> pixels;  ///< [height, width, 3]
};

class Simulation {
 public:
  virtual ~Simulation() = default;
  virtual std::string describe() const = 0;  ///< one line for people
  virtual int bodies() const = 0;            ///< that act at the same time: rows of what follows
  virtual int observation_size() const = 0;  ///< numbers that a body sees
  virtual int action_size() const = 0;       ///< numbers that move it
  /// [choices, action_size]: the actions among which those choose who learn values.
  virtual CMat choices() const = 0;

  /// All bodies begin their first episode. What happens from here on depends on `rng` and on the
  /// actions alone.
  virtual void reset(Rng rng) = 0;
  /// to [bodies, observation_size] <- what every body sees now.
  virtual void observe(Mat to) const = 0;
  /// to [bodies, action_size] <- what an expert, who knows the world's state, would do now.
  virtual void expert(Mat to) const = 0;
  /// One step. `actions` [bodies, action_size] are clipped to what is possible. A body whose
  /// episode ended stays where it is, to be observed once more, until restart().
  virtual void step(CMat actions, std::span<real> reward, std::span<Ended> ended) = 0;
  /// Those for which `ended` is not No begin their next episode.
  virtual void restart(std::span<const Ended> ended) = 0;

  /// What an episode is judged by besides its return: "arrived", "progress".
  virtual std::vector<std::string> measure_names() const = 0;
  /// to [measure_names().size()] <- of the body's episode so far.
  virtual void measures(int body, std::span<double> to) const = 0;

  /// All that changes, for checkpoints; load() takes what save() gave. Error(Data) if it is not.
  virtual std::vector<double> save() const = 0;
  virtual void load(std::span<const double> saved) = 0;

  /// The world around a body as a picture.
  virtual Frame draw(int body) const = 0;
};

}  // namespace engram
