// Files of a user's own images, in every form that is understood.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "benchmarks/own/own_data.h"
#include "tests/benchmarks/stream_helpers.h"
#include "tests/utils/tensor_bytes.h"
#include "utils/h5.h"
#include "utils/png.h"

namespace engram {

inline constexpr std::size_t kTrain = 12, kTest = 6;
inline constexpr int kClasses = 3;

inline std::size_t size_of(const ImageShape& shape) {
  return static_cast<std::size_t>(shape.size());
}

/// Pixel p of example i; the test's are others.
inline std::uint8_t pixel(bool test, std::size_t i, std::size_t p) {
  return static_cast<std::uint8_t>((i * 37 + p * 11 + (test ? 5 : 0)) % 256);
}
inline Bytes pixels(bool test, const ImageShape& shape) {
  Bytes out;
  for (std::size_t i = 0; i < (test ? kTest : kTrain); ++i)
    for (std::size_t p = 0; p < size_of(shape); ++p)
      out.push_back(pixel(test, i, p));
  return out;
}
template <class T = std::uint8_t>
std::vector<T> label_list(bool test) {
  std::vector<T> out;
  for (std::size_t i = 0; i < (test ? kTest : kTrain); ++i)
    out.push_back(static_cast<T>(i % kClasses));
  return out;
}

inline std::string text(const Bytes& bytes) {
  return {bytes.begin(), bytes.end()};
}

inline void expect_all(const Dataset& data, const ImageShape& shape) {
  EXPECT_EQ(data.shape(), shape);
  EXPECT_EQ(data.classes, kClasses);
  EXPECT_EQ(data.train->pixels, pixels(false, shape));
  EXPECT_EQ(data.test->pixels, pixels(true, shape));
  EXPECT_EQ(data.train->labels, label_list<Label>(false));
  EXPECT_EQ(data.test->labels, label_list<Label>(true));
  EXPECT_EQ(data.sha256.size(), 64u);
}

class OwnData : public ::testing::Test {
 protected:
  Dataset read(ImageLayout layout = ImageLayout::Hwc) const { return read_own(path_, layout); }
  std::string refusal(ImageLayout layout = ImageLayout::Hwc) const {
    return message_of(Fault::Data, [&] { read(layout); });
  }

  void put_npz(const std::string& type, const std::string& shape, const std::string& train,
               const std::string& test) {
    path_ = folder_ / "set.npz";
    write_bytes(
        path_,
        testing::zip(
            {{"x_train.npy", testing::npy(type, fmt::format("(12, {})", shape), train)},
             {"y_train.npy",
              testing::npy("<i8", "(12,)", testing::raw(label_list<std::int64_t>(false)))},
             {"x_test.npy", testing::npy(type, fmt::format("(6, {})", shape), test)},
             {"y_test.npy", testing::npy("|u1", "(6, 1)", testing::raw(label_list(true)))}}));
  }

  /// `spoil` may write other things, or not everything.
  void put_h5(const std::function<void(const h5::Group& train, const h5::Group& test,
                                       const h5::Group& root)>& fill) {
    path_ = folder_ / "set.h5";
    h5::save(path_,
             [&](const h5::Group& root) { fill(root.create("train"), root.create("test"), root); });
  }
  void put_good_h5(const ImageShape& shape) {
    const auto extents = [&](std::size_t n) {
      return std::vector<std::size_t>{n, static_cast<std::size_t>(shape.height),
                                      static_cast<std::size_t>(shape.width),
                                      static_cast<std::size_t>(shape.channels)};
    };
    put_h5([&](const h5::Group& train, const h5::Group& test, const h5::Group& root) {
      train.write("images", pixels(false, shape), extents(kTrain));
      train.write("labels", label_list<std::int64_t>(false), {kTrain});
      test.write("images", pixels(true, shape), extents(kTest));
      test.write("labels", label_list<std::int64_t>(true), {kTest});
      const std::vector<std::string> names{"cat", "dog", "owl"};
      root.write_texts("class_names", names);
    });
  }

  void put_pictures(const ImageShape& shape) {
    path_ = folder_ / "pictures";
    const char* names[] = {"10", "2", "x9"};
    for (const bool test : {false, true})
      for (std::size_t i = 0; i < (test ? kTest : kTrain); ++i) {
        Bytes image;
        for (std::size_t p = 0; p < size_of(shape); ++p)
          image.push_back(pixel(test, i, p));
        write_bytes(
            path_ / (test ? "test" : "train") / names[i % kClasses] / fmt::format("{:02}.png", i),
            encode_png(image, shape.height, shape.width, shape.channels));
      }
  }

  TempFolder folder_;
  std::filesystem::path path_;
};

}  // namespace engram
