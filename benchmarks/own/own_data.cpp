#include "benchmarks/own/own_data.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <fstream>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include "benchmarks/own/own_parts.h"
#include "utils/digest.h"
#include "utils/error.h"

namespace engram {
namespace own {

void refuse(const fs::path& file, const std::string& why) {
  throw Error(Fault::Data, file.string() + ": " + why);
}

ImageShape checked_shape(const fs::path& file, std::size_t height, std::size_t width,
                         std::size_t channels) {
  constexpr std::size_t kMostValues = std::size_t{1} << 27, kMostChannels = 4;
  if (height < 1 || width < 1 || channels < 1)
    refuse(file, fmt::format("images of {}x{} pixels with {} channels", height, width, channels));
  if (channels > kMostChannels)
    refuse(file, fmt::format("images of {} channels: up to {} are understood, as the last axis; "
                             "image_layout = chw says that they are the first",
                             channels, kMostChannels));
  if (height > kMostValues || width > kMostValues / height ||
      height * width > kMostValues / channels)
    refuse(file,
           fmt::format("images of {}x{} pixels: an image may have {} numbers; scale them down",
                       height, width, kMostValues));
  return {static_cast<int>(height), static_cast<int>(width), static_cast<int>(channels)};
}

namespace {

std::string first_bytes(const fs::path& file) {
  std::string bytes(8, '\0');
  std::ifstream in(file, std::ios::binary);
  in.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  bytes.resize(static_cast<std::size_t>(in.gcount()));
  return bytes;
}

constexpr const char* kUnderstood =
    "a folder with train/ and test/, each with a folder of PNG or JPEG pictures per class; a "
    "folder "
    "of IDX files (train-images..., train-labels..., test-images..., test-labels...) or of CIFAR's "
    "binary files (data_batch_1.bin..., test_batch.bin); an HDF5 file with train/images, "
    "train/labels, test/images, test/labels; or an .npz with x_train, y_train, x_test, y_test";

Found read_any(const fs::path& path, ImageLayout layout, Reading reading) {
  std::error_code ignored;
  if (!fs::exists(path, ignored))
    throw Error(Fault::MissingInput, "there is no file or folder '" + path.string() + "'");
  if (fs::is_directory(path, ignored)) {
    if (holds_pictures(path)) return read_pictures(path, reading);
    if (holds_idx(path)) return read_idx_folder(path);
    if (holds_cifar(path)) return read_cifar_folder(path);
    refuse(path, fmt::format("nothing here is understood. Expected {}", kUnderstood));
  }
  const std::string head = first_bytes(path);
  if (head.starts_with("\x89HDF\r\n\x1a\n")) return read_hdf5(path, layout);
  if (head.starts_with("PK\x03\x04")) return read_npz_file(path, layout);
  refuse(path, fmt::format("neither HDF5 nor .npz. Expected {}", kUnderstood));
}

/// The classes are the labels that occur in training, in ascending order.
std::vector<std::int64_t> distinct(const fs::path& path, const std::vector<std::int64_t>& labels) {
  std::vector<std::int64_t> classes = labels;
  std::sort(classes.begin(), classes.end());
  classes.erase(std::unique(classes.begin(), classes.end()), classes.end());
  constexpr std::size_t kMost = std::size_t{1} << 16;
  if (classes.size() > kMost)
    refuse(path, fmt::format("{} different labels: up to {} classes are possible", classes.size(),
                             kMost));
  return classes;
}

std::shared_ptr<const Images> images_of(const fs::path& path, const char* which, Part part,
                                        const std::vector<std::int64_t>& classes) {
  auto out = std::make_shared<Images>();
  out->shape = part.shape;
  out->labels.reserve(part.labels.size());
  for (std::size_t i = 0; i < part.labels.size(); ++i) {
    const auto found = std::lower_bound(classes.begin(), classes.end(), part.labels[i]);
    if (found == classes.end() || *found != part.labels[i])
      refuse(path, fmt::format("{} example {} has the label {}, which no training example has",
                               which, i, part.labels[i]));
    out->labels.push_back(static_cast<Label>(found - classes.begin()));
  }
  out->pixels = std::move(part.pixels);
  out->source = std::move(part.source);
  return out;
}

/// Sum and sum of squares of the bytes of every channel.
struct Moments {
  std::array<double, 4> sum{}, squares{};
  double count = 0;  ///< of each channel

  void add(std::span<const std::uint8_t> bytes, int channels) {
    std::array<std::array<std::uint64_t, 256>, 4> seen{};
    const auto n = static_cast<std::size_t>(channels);
    for (std::size_t i = 0; i < bytes.size(); i += n)
      for (std::size_t c = 0; c < n; ++c)
        ++seen[c][bytes[i + c]];
    for (std::size_t c = 0; c < n; ++c)
      for (std::size_t v = 0; v < 256; ++v) {
        const double value = static_cast<double>(v) / 255, times = static_cast<double>(seen[c][v]);
        sum[c] += times * value, squares[c] += times * value * value;
      }
    count += static_cast<double>(bytes.size() / n);
  }
};

}  // namespace
}  // namespace own

Dataset read_own(const std::filesystem::path& path, ImageLayout layout, Reading reading) {
  own::Found found = own::read_any(path, layout, reading);
  if (found.train.labels.empty() || found.test.labels.empty())
    own::refuse(path, fmt::format("{} training and {} test examples: there must be some of both",
                                  found.train.labels.size(), found.test.labels.size()));
  if (found.train.shape != found.test.shape)
    own::refuse(path, fmt::format("training images of {} and test images of {}: all must have one "
                                  "size",
                                  found.train.shape.text(), found.test.shape.text()));
  const auto classes = own::distinct(path, found.train.labels);
  Dataset out;
  std::filesystem::path name =
      path.filename().empty() ? path.parent_path().filename() : path.filename();
  out.name = fmt::format("own ({})", name.string());
  out.classes = static_cast<int>(classes.size());
  for (std::size_t c = 0; c < classes.size(); ++c) {
    const auto label = static_cast<std::size_t>(classes[c]);  // of one below 0 a large number
    out.class_names.push_back(label < found.class_names.size() ? found.class_names[label]
                                                               : std::to_string(classes[c]));
  }
  out.train = own::images_of(path, "training", std::move(found.train), classes);
  out.test = own::images_of(path, "test", std::move(found.test), classes);
  out.sha256 = sha256(found.digests);
  return out;
}

std::filesystem::path find_own(const std::string& data_path, const DataSearch& search) {
  const std::filesystem::path given = data_path;
  std::vector<std::filesystem::path> places{given};
  if (given.is_relative())
    for (const auto& root : search.roots)
      places.push_back(root / given);
  std::vector<std::string> tried;
  for (const auto& place : places) {
    std::error_code ignored;
    if (std::filesystem::exists(place, ignored)) return place;
    tried.push_back(place.string());
  }
  throw Error(Fault::MissingInput,
              fmt::format("data_path = {}: there is no such file or folder. Looked for\n  {}",
                          data_path, fmt::join(tried, "\n  ")));
}

void check_benchmark(const StreamOptions& options) {
  if (options.benchmark != kOwnData) {
    dataset_entry(options.benchmark);
    if (!options.data_path.empty())
      throw Error(
          Fault::Config,
          fmt::format("data_path is for benchmark = own; {} is looked for in the folders of "
                      "data sets (--data, $ENGRAM_DATA)",
                      options.benchmark));
  } else if (options.data_path.empty()) {
    throw Error(Fault::Config, "benchmark = own needs data_path, the file or folder of the images");
  }
}

Dataset load_benchmark(const StreamOptions& options, const DataSearch& search, Reading reading) {
  if (options.benchmark != kOwnData) return load_dataset(options.benchmark, search);
  return read_own(find_own(options.data_path, search), options.image_layout, reading);
}

PixelScale measured_scale(const Images& images) {
  constexpr std::size_t kDecoded = 5000;
  own::Moments moments;
  const int channels = images.shape.channels;
  if (!images.source) {
    moments.add(images.pixels, channels);
  } else {
    std::vector<std::uint8_t> image(static_cast<std::size_t>(images.shape.size()));
    for (std::size_t i = 0; i < std::min(images.size(), kDecoded); ++i) {
      images.source->read(i, image);
      moments.add(image, channels);
    }
  }
  PixelScale scale;
  for (std::size_t c = 0; c < static_cast<std::size_t>(channels) && moments.count > 0; ++c) {
    const double mean = moments.sum[c] / moments.count;
    const double variance = moments.squares[c] / moments.count - mean * mean;
    scale.mean[c] = mean;
    // Images of one colour have none.
    scale.deviation[c] = variance > 1e-12 ? std::sqrt(variance) : 1;
  }
  return scale;
}

}  // namespace engram
