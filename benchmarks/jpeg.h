// Decoding JPEG files that nobody has vouched for.
#pragma once

#include <cstdint>
#include <span>

#include "utils/shape.h"

namespace engram {

/// What the header of a JPEG file says of its picture: one channel when it is grey, else three.
/// Throws Error(Data) when there is none.
ImageShape jpeg_shape(std::span<const std::uint8_t> file);

/// Decodes a picture of full.width x full.height pixels at one over `denominator` (1, 2, 4, 8) of
/// its size into `out`, reduced_shape(full, denominator).size() bytes: interleaved red, green and
/// blue, or grey when full has one channel. Throws Error(Data) when the picture has another size,
/// or is truncated or corrupt.
void decode_jpeg(std::span<const std::uint8_t> file, ImageShape full, int denominator,
                 std::span<std::uint8_t> out);

}  // namespace engram
