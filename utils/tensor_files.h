// Named tensors from files that other programs write: safetensors, and NumPy's .npz. Such files are
// not trusted: whatever does not add up is an Error(Data) that says where.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace engram {

/// A tensor of numbers, row-major. Integers are named without their values: nobody reads them.
struct NamedTensor {
  std::string name;
  std::vector<std::size_t> shape;
  std::vector<float> values;
  bool numbers = true;  ///< false: integers, and no values
};

/// An array as its file holds it, row-major unless it says otherwise.
struct StoredArray {
  std::string name, type;  ///< the type as NumPy writes it: "|u1", "<i8", "<f4"
  std::vector<std::size_t> shape;
  std::vector<std::uint8_t> bytes;
  bool fortran = false;  ///< the first index runs fastest
};

/// Numbers of 16 (IEEE, bfloat), 32 and 64 bits. In the order of their places in the file.
std::vector<NamedTensor> read_safetensors(std::span<const std::uint8_t> file);
/// A zip of .npy arrays, of numbers of 16, 32 and 64 bits. In the order of the zip.
std::vector<NamedTensor> read_npz(std::span<const std::uint8_t> file);
/// The same zip as it is, of little-endian numbers of any type. Memory follows what is in the file.
std::vector<StoredArray> read_npz_arrays(std::span<const std::uint8_t> file);

/// What stands for a type in memory as files have it, little-endian.
enum class NumberType { Float16, BFloat16, Float32, Float64 };
std::size_t bytes_of(NumberType);
std::vector<float> to_floats(NumberType, std::span<const std::uint8_t> bytes);

/// The number of elements of a shape. Error(Data), which names `what`, when there are too many.
std::size_t checked_elements(const std::vector<std::size_t>& shape, const std::string& what);

}  // namespace engram
