// What the readers of a user's own data have in common. For benchmarks/own/ only.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "benchmarks/dataset.h"
#include "benchmarks/own/own_data.h"

namespace engram::own {

namespace fs = std::filesystem;

/// Training or test examples as they were found: labels are any whole numbers.
struct Part {
  ImageShape shape;
  std::vector<std::uint8_t> pixels;  ///< interleaved; none when there is a source
  std::vector<std::int64_t> labels;
  std::shared_ptr<const ImageSource> source;
};

struct Found {
  Part train, test;
  std::vector<std::string> class_names;  ///< by label 0 ... K - 1, or none
  std::string digests;                   ///< of the files, one after the other
};

[[noreturn]] void refuse(const fs::path& file, const std::string& why);

/// Shapes that a network cannot take, or whose size would not fit its arithmetic, are refused.
ImageShape checked_shape(const fs::path& file, std::size_t height, std::size_t width,
                         std::size_t channels);

/// Folders `train` and `test` of one folder of pictures for each class.
bool holds_pictures(const fs::path& folder);
Found read_pictures(const fs::path& folder, Reading);

/// Files of MNIST's or CIFAR's binary formats, known by content and length.
bool holds_idx(const fs::path& folder);
Found read_idx_folder(const fs::path& folder);
bool holds_cifar(const fs::path& folder);
Found read_cifar_folder(const fs::path& folder);

/// train/images, train/labels, test/images, test/labels.
Found read_hdf5(const fs::path& file, ImageLayout);
/// x_train, y_train, x_test, y_test; or train_images, train_labels, test_images, test_labels.
Found read_npz_file(const fs::path& file, ImageLayout);

}  // namespace engram::own
