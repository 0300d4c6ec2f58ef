// Images and labels as arrays: HDF5, and NumPy's .npz.
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <span>
#include <utility>

#include <fmt/format.h>

#include "benchmarks/catalog.h"
#include "benchmarks/own/own_parts.h"
#include "utils/error.h"
#include "utils/files.h"
#include "utils/h5.h"
#include "utils/tensor_files.h"

namespace engram::own {
namespace {

using Shape = std::vector<std::size_t>;
using Bytes = std::vector<std::uint8_t>;

std::string text_of(const Shape& shape) {
  return fmt::format("[{}]", fmt::join(shape, ", "));
}

/// What the numbers of an array are. Of zeros and ones alone, unless they are bytes, nobody can
/// tell: the other array decides (read_both).
enum class Unit { Whole, Share, Undecided };

struct Pixels {
  Bytes bytes;  ///< as they came while undecided
  Unit unit = Unit::Whole;
};

/// What a number of another type than a byte becomes as a pixel: shares of 1 are multiplied by 255
/// and rounded; whole numbers up to 255 stay. `at(i)` gives number i as a double.
template <class At>
Pixels pixels_of(const fs::path& file, const std::string& name, std::size_t count, const At& at) {
  bool shares = true, whole = true;
  for (std::size_t i = 0; i < count; ++i) {
    const double v = at(i);
    if (!(v >= 0 && v <= 255))
      refuse(file, fmt::format("'{}' holds {}: expected bytes, whole numbers from 0 to 255, or "
                               "numbers from 0 to 1, which are multiplied by 255; leave scaling to "
                               "`normalise`",
                               name, v));
    shares = shares && v <= 1;
    whole = whole && v == std::floor(v);
  }
  if (!shares && !whole)
    refuse(file,
           fmt::format("'{}' holds fractions and numbers above 1: expected whole numbers from "
                       "0 to 255, or numbers from 0 to 1",
                       name));
  Pixels out{.bytes = Bytes(count),
             .unit = !shares ? Unit::Whole
                     : whole ? Unit::Undecided
                             : Unit::Share};
  for (std::size_t i = 0; i < count; ++i)
    out.bytes[i] = static_cast<std::uint8_t>(std::lround(at(i) * (whole ? 1 : 255)));
  return out;
}

/// A part and what its numbers were.
struct Side {
  Part part;
  Unit unit;
};

/// Training and test examples. Zeros and ones are shares of 1, black and white,
/// unless the other side has whole numbers.
template <class Read>
void read_both(Found& found, const Read& read) {
  Side train = read("train"), test = read("test");
  const auto settle = [](Side& side, Unit other) {
    if (side.unit != Unit::Undecided || other == Unit::Whole) return;
    for (std::uint8_t& byte : side.part.pixels)
      byte = static_cast<std::uint8_t>(byte * 255);
  };
  settle(train, test.unit), settle(test, train.unit);
  found.train = std::move(train.part), found.test = std::move(test.part);
}

/// [n, channels, height, width] becomes [n, height, width, channels].
Bytes interleaved(const Bytes& planar, std::size_t n, const ImageShape& shape) {
  const auto channels = static_cast<std::size_t>(shape.channels);
  const auto plane = static_cast<std::size_t>(shape.height) * static_cast<std::size_t>(shape.width);
  Bytes out(planar.size());
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t c = 0; c < channels; ++c) {
      const std::uint8_t* from = planar.data() + (i * channels + c) * plane;
      std::uint8_t* to = out.data() + i * channels * plane + c;
      for (std::size_t p = 0; p < plane; ++p)
        to[p * channels] = from[p];
    }
  return out;
}

ImageShape image_shape(const fs::path& file, const std::string& name, const Shape& shape,
                       ImageLayout layout) {
  if (shape.size() == 2) return checked_shape(file, 1, shape[1], 1);
  if (shape.size() == 3) return checked_shape(file, shape[1], shape[2], 1);
  if (shape.size() != 4)
    refuse(file,
           fmt::format("'{}' has the shape {}: expected [n, height, width], [n, height, width, "
                       "channels] (or channels first, with image_layout = chw), or [n, "
                       "features]",
                       name, text_of(shape)));
  return layout == ImageLayout::Hwc ? checked_shape(file, shape[1], shape[2], shape[3])
                                    : checked_shape(file, shape[2], shape[3], shape[1]);
}

/// `labels` has the shape [n] or [n, 1].
Side assembled(const fs::path& file, const std::string& images, const Shape& shape, Pixels pixels,
               ImageLayout layout, const std::string& labels, const Shape& label_shape,
               std::vector<std::int64_t> values) {
  Part part;
  part.shape = image_shape(file, images, shape, layout);
  const std::size_t n = shape[0];
  if (label_shape.empty() || label_shape.size() > 2 ||
      (label_shape.size() == 2 && label_shape[1] != 1))
    refuse(file, fmt::format("'{}' has the shape {}: expected one label per image, [n] (of one-hot "
                             "rows save argmax)",
                             labels, text_of(label_shape)));
  if (label_shape[0] != n)
    refuse(file, fmt::format("'{}' has {} labels, but '{}' has {} images", labels, label_shape[0],
                             images, n));
  part.pixels = layout == ImageLayout::Chw && shape.size() == 4
                    ? interleaved(pixels.bytes, n, part.shape)
                    : std::move(pixels.bytes);
  ENGRAM_INVARIANT(part.pixels.size() == n * static_cast<std::size_t>(part.shape.size()));
  part.labels = std::move(values);
  return {std::move(part), pixels.unit};
}

Side hdf5_side(const fs::path& file, const h5::Group& root, const std::string& which,
               ImageLayout layout) {
  const std::string images = which + "/images", labels = which + "/labels";
  for (const std::string& name : {images, labels})
    if (!root.has(name))
      refuse(file, fmt::format("there is no data set '{}'; expected train/images, train/labels, "
                               "test/images and test/labels",
                               name));
  const Shape shape = root.shape(images);
  image_shape(file, images, shape, layout);  // before anything large is read
  Pixels pixels;
  if (root.holds_bytes(images)) {
    pixels.bytes = root.read_bytes(images);
  } else {
    const std::vector<float> numbers = root.read_floats(images);
    pixels = pixels_of(file, images, numbers.size(),
                       [&](std::size_t i) { return static_cast<double>(numbers[i]); });
  }
  Shape label_shape;
  std::vector<std::int64_t> values = root.read_integers(labels, &label_shape);
  return assembled(file, images, shape, std::move(pixels), layout, labels, label_shape,
                   std::move(values));
}

static_assert(std::endian::native == std::endian::little, "arrays are little-endian");

template <class T>
T number_at(const Bytes& bytes, std::size_t i) {
  T value;
  std::memcpy(&value, bytes.data() + i * sizeof(T), sizeof(T));
  return value;
}

/// Calls visit(count, at) where at(i) is number i of the array in its own type; float16 as float.
template <class Visit>
void with_numbers(const fs::path& file, const StoredArray& a, const Visit& visit) {
  const auto as = [&]<class T>(T) {
    visit(a.bytes.size() / sizeof(T), [&](std::size_t i) { return number_at<T>(a.bytes, i); });
  };
  const std::string& t = a.type;
  if (t == "|u1" || t == "|b1") return as(std::uint8_t{});
  if (t == "|i1") return as(std::int8_t{});
  if (t == "<u2") return as(std::uint16_t{});
  if (t == "<i2") return as(std::int16_t{});
  if (t == "<u4") return as(std::uint32_t{});
  if (t == "<i4") return as(std::int32_t{});
  if (t == "<u8") return as(std::uint64_t{});
  if (t == "<i8") return as(std::int64_t{});
  if (t == "<f4") return as(float{});
  if (t == "<f8") return as(double{});
  if (t == "<f2") {
    const std::vector<float> numbers = to_floats(NumberType::Float16, a.bytes);
    return visit(numbers.size(), [&](std::size_t i) { return numbers[i]; });
  }
  refuse(file, fmt::format("'{}' has the type {}, which is not read; save it as uint8", a.name, t));
}

std::vector<std::int64_t> labels_of(const fs::path& file, const StoredArray& a) {
  std::vector<std::int64_t> out;
  with_numbers(file, a, [&](std::size_t count, const auto& at) {
    out.resize(count);
    for (std::size_t i = 0; i < count; ++i) {
      const auto value = static_cast<double>(at(i));
      constexpr double kMost = 1e15;  // doubles are whole up to there
      if (!(std::abs(value) < kMost) || value != std::floor(value))
        refuse(file, fmt::format("'{}' holds {}: labels are whole numbers", a.name, value));
      out[i] = static_cast<std::int64_t>(value);
    }
  });
  return out;
}

Side npz_side(const fs::path& file, std::vector<StoredArray>& arrays, const std::string& images,
              const std::string& labels, ImageLayout layout) {
  const auto find = [&](const std::string& name) -> StoredArray& {
    const auto found = std::ranges::find(arrays, name, &StoredArray::name);
    if (found == arrays.end()) refuse(file, fmt::format("there is no array '{}'", name));
    if (found->fortran && found->shape.size() > 1)
      refuse(file,
             fmt::format("'{}' is in Fortran's order; save np.ascontiguousarray of it", name));
    return *found;
  };
  StoredArray& x = find(images);
  const StoredArray& y = find(labels);
  image_shape(file, images, x.shape, layout);
  Pixels pixels;
  if (x.type == "|u1") {
    pixels.bytes = std::move(x.bytes);
  } else {
    with_numbers(file, x, [&](std::size_t count, const auto& at) {
      pixels =
          pixels_of(file, images, count, [&](std::size_t i) { return static_cast<double>(at(i)); });
    });
  }
  return assembled(file, images, x.shape, std::move(pixels), layout, labels, y.shape,
                   labels_of(file, y));
}

}  // namespace

Found read_hdf5(const fs::path& file, ImageLayout layout) {
  Found found;
  h5::load(file, [&](const h5::Group& root) {
    const auto side = [&](const std::string& name) { return hdf5_side(file, root, name, layout); };
    read_both(found, side);
    if (root.has("class_names")) found.class_names = root.read_texts("class_names");
  });
  found.digests = sha256_of_file(file);
  return found;
}

Found read_npz_file(const fs::path& file, ImageLayout layout) {
  constexpr std::size_t kMostBytes = std::size_t{16} << 30;
  const Bytes bytes = read_file(file, kMostBytes);
  std::vector<StoredArray> arrays = during(file.string(), [&] { return read_npz_arrays(bytes); });
  const auto has = [&](const char* name) {
    return std::ranges::find(arrays, name, &StoredArray::name) != arrays.end();
  };
  Found found;
  if (has("x_train")) {
    const auto side = [&](const std::string& name) {
      return npz_side(file, arrays, "x_" + name, "y_" + name, layout);
    };
    read_both(found, side);
  } else if (has("train_images")) {
    const auto side = [&](const std::string& name) {
      return npz_side(file, arrays, name + "_images", name + "_labels", layout);
    };
    read_both(found, side);
  } else {
    std::vector<std::string> names;
    for (const StoredArray& a : arrays)
      names.push_back(a.name);
    refuse(file, fmt::format("it holds {}; expected x_train, y_train, x_test, y_test, or "
                             "train_images, train_labels, test_images, test_labels",
                             fmt::join(names, ", ")));
  }
  found.digests = sha256_of_file(file);
  return found;
}

}  // namespace engram::own
