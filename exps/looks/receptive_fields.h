// What the units of a network's first layer with weights look for: their incoming weights as
// images.
#pragma once

#include "exps/record.h"
#include "models/network.h"

namespace engram {

inline constexpr const char* kReceptiveFields = "receptive fields";

/// The incoming weights of units drawn evenly over the first layer with weights: unit
/// floor(i * units / count) is image i. Conv layers show their kernels.
class ReceptiveFields {
 public:
  /// `units`: how many at most; 0: none. Error(Config) when the network's input is no image of one
  /// or three channels, or its first layer with weights does not read that image.
  ReceptiveFields(const Network& net, int units);
  bool on() const { return count_ > 0; }
  /// Of a sheet.
  std::size_t bytes() const { return static_cast<std::size_t>(count_) * tile_bytes_; }
  /// Adds a sheet called `moment` to the set of pictures, which is made when there is none yet.
  /// One channel: blue below 0, white, red above; three: red, green and blue about mid-grey. The
  /// colours reach the greatest weight of the sheet, which is said in its name.
  void take(const std::string& moment, RunRecord& run) const;

 private:
  PictureRecord start() const;

  const Network& net_;
  int layer_ = 0, units_ = 0, count_ = 0;
  ImageShape tile_;
  std::size_t tile_bytes_ = 0;
};

}  // namespace engram
