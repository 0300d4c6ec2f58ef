// What the tests of this folder share: a temporary folder, tiny data sets, files to read.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include "benchmarks/dataset.h"
#include "tests/utils/temp_folder.h"
#include "utils/error.h"

namespace engram {

using Bytes = std::vector<std::uint8_t>;

/// A variable of the environment for the length of a test.
class WithVariable {
 public:
  WithVariable(const char* name, const std::string& value) : name_(name) {
    setenv(name, value.c_str(), 1);
  }
  ~WithVariable() { unsetenv(name_); }
  WithVariable(const WithVariable&) = delete;
  WithVariable& operator=(const WithVariable&) = delete;

 private:
  const char* name_;
};

inline void write_bytes(const std::filesystem::path& file, const Bytes& bytes) {
  std::filesystem::create_directories(file.parent_path());
  std::ofstream(file, std::ios::binary)
      .write(reinterpret_cast<const char*>(bytes.data()),
             static_cast<std::streamsize>(bytes.size()));
}

inline Bytes read_bytes(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// The same content as a gzip file.
inline Bytes gzipped(const Bytes& bytes) {
  TempFolder folder;
  const auto file = folder / "x.gz";
  gzFile out = gzopen(file.c_str(), "wb");
  gzwrite(out, bytes.data(), static_cast<unsigned>(bytes.size()));
  gzclose(out);
  return read_bytes(file);
}

inline void append_word(Bytes& bytes, std::uint32_t word) {
  for (int shift = 24; shift >= 0; shift -= 8)
    bytes.push_back(static_cast<std::uint8_t>(word >> shift));
}

/// An IDX file of images whose pixel k is k modulo 251.
inline Bytes idx_images(std::uint32_t count, std::uint32_t height, std::uint32_t width) {
  Bytes bytes;
  for (const std::uint32_t word : {0x803u, count, height, width})
    append_word(bytes, word);
  for (std::uint32_t k = 0; k < count * height * width; ++k)
    bytes.push_back(static_cast<std::uint8_t>(k % 251));
  return bytes;
}

inline Bytes idx_labels(const Bytes& labels) {
  Bytes bytes;
  append_word(bytes, 0x801);
  append_word(bytes, static_cast<std::uint32_t>(labels.size()));
  bytes.insert(bytes.end(), labels.begin(), labels.end());
  return bytes;
}

/// `per_class` images of each class in turn; every pixel of image i is a hash of i and the pixel.
inline std::shared_ptr<const Images> tiny_images(int classes, int per_class, ImageShape shape) {
  auto images = std::make_shared<Images>();
  images->shape = shape;
  for (int i = 0; i < classes * per_class; ++i) {
    images->labels.push_back(static_cast<Label>(i % classes));
    for (int p = 0; p < shape.size(); ++p)
      images->pixels.push_back(static_cast<std::uint8_t>((i * 31 + p * 7) % 256));
  }
  return images;
}

inline Dataset tiny_dataset(int classes = 10, ImageShape shape = {4, 4, 1}) {
  Dataset data;
  data.name = "tiny";
  data.classes = classes;
  data.train = tiny_images(classes, 20, shape);
  data.test = tiny_images(classes, 5, shape);
  return data;
}

/// Runs `body`, which must throw an Error of this kind, and returns its message.
template <class Body>
std::string message_of(Fault fault, Body&& body) {
  try {
    body();
  } catch (const Error& e) {
    EXPECT_EQ(e.fault(), fault) << e.what();
    return e.what();
  }
  ADD_FAILURE() << "nothing was thrown";
  return "";
}

}  // namespace engram
