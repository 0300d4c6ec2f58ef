#include "benchmarks/simulations/saved_state.h"

#include <cmath>

#include <fmt/format.h>

#include "utils/error.h"

namespace engram {
namespace {

/// Tells worlds apart: their first letters as a number.
double mark_of(std::string_view world) {
  double mark = 0;
  for (const char c : world.substr(0, 6))
    mark = 256 * mark + static_cast<unsigned char>(c);
  return mark;
}

}  // namespace

double seed_of(Rng rng) {
  return rng.fork("simulation").uniform() * 0x1p53;
}

void refuse_nonsense(CMat actions) {
  for (const real a : actions.all())
    if (!std::isfinite(a))
      throw Error(Fault::Numerical,
                  "an action is not a finite number; a smaller learning rate may help");
}

StateWriter::StateWriter(std::string_view world, int bodies) {
  add(mark_of(world)), add(bodies);
}

StateReader::StateReader(std::string_view world, int bodies, std::span<const double> saved)
    : world_(world), saved_(saved) {
  if (saved.size() < 2 || saved[0] != mark_of(world)) refuse("it is of another world");
  if (saved[1] != bodies) refuse(fmt::format("it is of {} bodies instead of {}", saved[1], bodies));
  next_ = 2;
}

double StateReader::number(double low, double high) {
  if (next_ == saved_.size()) refuse("it ends early");
  const double value = saved_[next_++];
  if (!(value >= low && value <= high))
    refuse(fmt::format("number {} is {}, outside [{}, {}]", next_, value, low, high));
  return value;
}

double StateReader::whole(double low, double high) {
  const double value = number(low, high);
  if (value != std::floor(value)) refuse(fmt::format("number {} is {}, not whole", next_, value));
  return value;
}

void StateReader::end() const {
  if (next_ != saved_.size()) refuse("it is too long");
}

void StateReader::refuse(std::string_view why) const {
  throw Error(Fault::Data, fmt::format("state of simulation {}: {}", world_, why));
}

}  // namespace engram
