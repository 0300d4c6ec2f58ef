#include "utils/tensor_files.h"

#include <bit>
#include <cmath>
#include <cstring>

#include <fmt/format.h>

#include "utils/error.h"

namespace engram {
namespace {

static_assert(std::endian::native == std::endian::little, "files are little-endian");

template <class T>
T at(std::span<const std::uint8_t> bytes, std::size_t i) {
  T value;
  std::memcpy(&value, bytes.data() + i * sizeof(T), sizeof(T));
  return value;
}

/// IEEE 754 binary16: a sign, five bits of exponent, ten of fraction.
float from_half(std::uint16_t bits) {
  const int exponent = (bits >> 10) & 31;
  const int fraction = bits & 1023;
  const float size = exponent == 31 ? (fraction ? std::nanf("") : HUGE_VALF)
                     : exponent == 0
                         ? std::ldexp(static_cast<float>(fraction), -24)
                         : std::ldexp(static_cast<float>(1024 + fraction), exponent - 25);
  return bits & 0x8000 ? -size : size;
}

/// The upper half of a float.
float from_bfloat(std::uint16_t bits) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16);
}

}  // namespace

std::size_t bytes_of(NumberType type) {
  switch (type) {
    case NumberType::Float16:
    case NumberType::BFloat16:
      return 2;
    case NumberType::Float32:
      return 4;
    case NumberType::Float64:
      return 8;
  }
  broken_invariant("the type is one of its choices");
}

std::vector<float> to_floats(NumberType type, std::span<const std::uint8_t> bytes) {
  std::vector<float> out(bytes.size() / bytes_of(type));
  for (std::size_t i = 0; i < out.size(); ++i)
    switch (type) {
      case NumberType::Float16:
        out[i] = from_half(at<std::uint16_t>(bytes, i));
        break;
      case NumberType::BFloat16:
        out[i] = from_bfloat(at<std::uint16_t>(bytes, i));
        break;
      case NumberType::Float32:
        out[i] = at<float>(bytes, i);
        break;
      case NumberType::Float64:
        out[i] = static_cast<float>(at<double>(bytes, i));
        break;
    }
  return out;
}

std::size_t checked_elements(const std::vector<std::size_t>& shape, const std::string& what) {
  constexpr std::size_t kMost = std::size_t{1} << 31;
  std::size_t n = 1;
  for (const std::size_t extent : shape) {
    if (extent > kMost || n * extent > kMost)
      throw Error(Fault::Data, fmt::format("{} claims more than 2^31 numbers", what));
    n *= extent;
  }
  return n;
}

}  // namespace engram
