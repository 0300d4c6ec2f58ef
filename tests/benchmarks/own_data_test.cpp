// A user's own images in every form that is understood, and in many that are not. All files are
// written by the test.
#include "benchmarks/own/own_data.h"

#include <cmath>

#include <fmt/format.h>

#include "benchmarks/scenario.h"
#include "benchmarks/stream_table.h"
#include "tests/benchmarks/jpeg_bytes.h"
#include "tests/benchmarks/stream_helpers.h"
#include "tests/utils/tensor_bytes.h"
#include "utils/h5.h"
#include "utils/png.h"
#include "utils/rng.h"

namespace engram {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::npy;
using testing::raw;

constexpr std::size_t kTrain = 12, kTest = 6;
constexpr int kClasses = 3;

std::size_t size_of(const ImageShape& shape) {
  return static_cast<std::size_t>(shape.size());
}

/// Pixel p of example i; the test's are others.
std::uint8_t pixel(bool test, std::size_t i, std::size_t p) {
  return static_cast<std::uint8_t>((i * 37 + p * 11 + (test ? 5 : 0)) % 256);
}
Bytes pixels(bool test, const ImageShape& shape) {
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

std::string text(const Bytes& bytes) {
  return {bytes.begin(), bytes.end()};
}

void expect_all(const Dataset& data, const ImageShape& shape) {
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
        testing::zip({{"x_train.npy", npy(type, fmt::format("(12, {})", shape), train)},
                      {"y_train.npy", npy("<i8", "(12,)", raw(label_list<std::int64_t>(false)))},
                      {"x_test.npy", npy(type, fmt::format("(6, {})", shape), test)},
                      {"y_test.npy", npy("|u1", "(6, 1)", raw(label_list(true)))}}));
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

TEST_F(OwnData, ReadsNpzOfBytes) {
  put_npz("|u1", "4, 3", text(pixels(false, {4, 3, 1})), text(pixels(true, {4, 3, 1})));
  expect_all(read(), {4, 3, 1});
  put_npz("|u1", "4, 3, 3", text(pixels(false, {4, 3, 3})), text(pixels(true, {4, 3, 3})));
  expect_all(read(), {4, 3, 3});
  EXPECT_THAT(read().name, HasSubstr("set.npz"));
}

TEST_F(OwnData, ReadsFlatFeatures) {
  put_npz("|u1", "7", text(pixels(false, {1, 7, 1})), text(pixels(true, {1, 7, 1})));
  expect_all(read(), {1, 7, 1});
}

TEST_F(OwnData, ReadsTheNamesOfMedMnist) {
  const ImageShape shape{2, 2, 1};
  path_ = folder_ / "med.npz";
  write_bytes(
      path_,
      testing::zip({{"train_images.npy", npy("|u1", "(12, 2, 2)", text(pixels(false, shape)))},
                    {"val_images.npy", npy("|u1", "(1, 2, 2)", "abcd")},
                    {"test_images.npy", npy("|u1", "(6, 2, 2)", text(pixels(true, shape)))},
                    {"train_labels.npy", npy("|u1", "(12, 1)", raw(label_list(false)))},
                    {"test_labels.npy", npy("|u1", "(6, 1)", raw(label_list(true)))}}));
  expect_all(read(), shape);
}

TEST_F(OwnData, ChannelsMayComeFirstIfThatIsSaid) {
  const ImageShape shape{4, 5, 3};
  const auto planar = [&](bool test) {
    const Bytes from = pixels(test, shape);
    Bytes to(from.size());
    for (std::size_t i = 0; i < from.size() / 60; ++i)
      for (std::size_t y = 0; y < 4; ++y)
        for (std::size_t x = 0; x < 5; ++x)
          for (std::size_t c = 0; c < 3; ++c)
            to[i * 60 + c * 20 + y * 5 + x] = from[i * 60 + (y * 5 + x) * 3 + c];
    return text(to);
  };
  put_npz("|u1", "3, 4, 5", planar(false), planar(true));
  expect_all(read(ImageLayout::Chw), shape);
  EXPECT_THAT(refusal(), AllOf(HasSubstr("5 channels"), HasSubstr("image_layout = chw")));
}

TEST_F(OwnData, NumbersFromZeroToOneAreMultipliedBy255) {
  std::vector<float> train, test;
  for (const std::uint8_t v : pixels(false, {2, 2, 1}))
    train.push_back(static_cast<float>(v) / 255);
  for (const std::uint8_t v : pixels(true, {2, 2, 1}))
    test.push_back(static_cast<float>(v) / 255);
  put_npz("<f4", "2, 2", raw(train), raw(test));
  expect_all(read(), {2, 2, 1});
}

TEST_F(OwnData, WholeNumbersUpTo255Stay) {
  const auto wide = [](bool test) {
    std::vector<std::int16_t> out;
    for (const std::uint8_t v : pixels(test, {2, 2, 1}))
      out.push_back(v);
    return raw(out);
  };
  put_npz("<i2", "2, 2", wide(false), wide(true));
  expect_all(read(), {2, 2, 1});
}

TEST_F(OwnData, OtherNumbersAreRefused) {
  const auto with = [&](float value) {
    std::vector<float> train(48, 0.5F);
    train[7] = value;
    put_npz("<f4", "2, 2", raw(train), raw(std::vector<float>(24, 0.5F)));
    return refusal();
  };
  EXPECT_THAT(with(-0.1F), AllOf(HasSubstr("x_train"), HasSubstr("-0.1"), HasSubstr("normalise")));
  EXPECT_THAT(with(300), HasSubstr("300"));
  EXPECT_THAT(with(std::nanf("")), HasSubstr("nan"));
  EXPECT_THAT(with(2), HasSubstr("fractions and numbers above 1"));
}

TEST_F(OwnData, ReadsHdf5WithNamesOfClasses) {
  put_good_h5({3, 2, 3});
  const Dataset data = read();
  expect_all(data, {3, 2, 3});
  EXPECT_THAT(data.class_names, ElementsAre("cat", "dog", "owl"));
}

TEST_F(OwnData, LabelsNeedNotBeginAtZero) {
  put_h5([](const h5::Group& train, const h5::Group& test, const h5::Group&) {
    const Bytes four{1, 2, 3, 4};
    train.write("images", four, {4, 1, 1});
    train.write("labels", std::vector<std::int64_t>{-7, 26, 1000, 26}, {4});
    test.write("images", four, {4, 1, 1});
    test.write("labels", std::vector<std::int64_t>{26, -7, 26, 1000}, {4});
  });
  const Dataset data = read();
  EXPECT_EQ(data.classes, 3);
  EXPECT_THAT(data.train->labels, ElementsAre(0, 1, 2, 1));
  EXPECT_THAT(data.test->labels, ElementsAre(1, 0, 1, 2));
  EXPECT_THAT(data.class_names, ElementsAre("-7", "26", "1000"));
}

TEST_F(OwnData, RefusesArraysThatDoNotFitEachOther) {
  using Groups = const h5::Group&;
  const Bytes four{1, 2, 3, 4};
  const std::vector<std::int64_t> two{0, 1};
  const auto test_part = [&](Groups test) {
    test.write("images", four, {2, 2, 1});
    test.write("labels", two, {2});
  };
  const auto why = [&](const std::function<void(Groups train, Groups test)>& fill) {
    put_h5([&](Groups train, Groups test, Groups) { fill(train, test); });
    return refusal();
  };
  EXPECT_THAT(why([&](Groups, Groups test) { test_part(test); }),
              AllOf(HasSubstr("set.h5"), HasSubstr("'train/images'")));
  EXPECT_THAT(why([&](Groups train, Groups test) {
                train.write("images", four, {2, 2, 1});
                test_part(test);
              }),
              HasSubstr("'train/labels'"));
  EXPECT_THAT(why([&](Groups train, Groups test) {
                train.write("images", four, {4, 1, 1});
                train.write("labels", two, {2});
                test_part(test);
              }),
              HasSubstr("2 labels, but 'train/images' has 4 images"));
  EXPECT_THAT(why([&](Groups train, Groups test) {
                train.write("images", four, {2, 1, 2});
                train.write("labels", two, {2});
                test_part(test);
              }),
              HasSubstr("one size"));
  EXPECT_THAT(why([&](Groups train, Groups test) {
                train.write("images", four, {2, 2, 1});
                train.write("labels", std::vector<std::int64_t>{0, 1, 1, 0}, {2, 2});
                test_part(test);
              }),
              HasSubstr("argmax"));
  EXPECT_THAT(why([&](Groups train, Groups test) {
                train.write("images", four, {2, 2, 1});
                train.write("labels", std::vector<std::int64_t>{0, 0}, {2});
                test_part(test);
              }),
              HasSubstr("label 1, which no training example has"));
  EXPECT_THAT(why([&](Groups train, Groups test) {
                train.write("images", four, {4});
                train.write("labels", two, {2});
                test_part(test);
              }),
              HasSubstr("has the shape [4]"));
  EXPECT_THAT(why([&](Groups train, Groups test) {
                train.write("images", Bytes{}, {0, 2, 1});
                train.write("labels", std::vector<std::int64_t>{}, {0});
                test_part(test);
              }),
              HasSubstr("0 training and 2 test examples"));
}

TEST_F(OwnData, ReadsFoldersOfPictures) {
  for (const ImageShape shape : {ImageShape{5, 4, 1}, ImageShape{5, 4, 3}}) {
    std::filesystem::remove_all(path_);
    put_pictures(shape);
    const Dataset data = read();
    EXPECT_EQ(data.shape(), shape);
    EXPECT_THAT(data.class_names, ElementsAre("10", "2", "x9"));  // not all numbers: by bytes
    ASSERT_EQ(data.train->size(), kTrain);
    // In an order of their own: every picture once, with its label.
    std::set<std::pair<std::string, int>> found, expected;
    for (std::size_t i = 0; i < kTrain; ++i) {
      const auto image = data.train->image(i);
      found.emplace(std::string(image.begin(), image.end()), data.train->labels[i]);
      std::string put;
      for (std::size_t p = 0; p < size_of(shape); ++p)
        put.push_back(static_cast<char>(pixel(false, i, p)));
      expected.emplace(put, static_cast<int>(i % kClasses));
    }
    EXPECT_EQ(found, expected);
    EXPECT_NE(data.train->labels, label_list<Label>(false));
    const auto& l = data.train->labels;
    EXPECT_FALSE(std::is_sorted(l.begin(), l.end()));
    EXPECT_EQ(data.sha256, read().sha256);
  }
}

TEST_F(OwnData, ClassesWithNumbersAsNamesAreInTheirOrder) {
  path_ = folder_ / "numbers";
  for (const char* name : {"10", "9", "100"})
    for (const char* side : {"training", "testing"})
      write_bytes(path_ / side / name / "a.png", encode_png(Bytes(4, 7), 2, 2, 1));
  EXPECT_THAT(read().class_names, ElementsAre("9", "10", "100"));
}

TEST_F(OwnData, TheDigestOfPicturesKnowsTheirNamesAndContent) {
  put_pictures({5, 4, 1});
  const std::string before = read().sha256;
  std::filesystem::rename(path_ / "train/2/01.png", path_ / "train/2/99.png");
  const std::string renamed = read().sha256;
  EXPECT_NE(renamed, before);
  write_bytes(path_ / "train/2/99.png", encode_png(Bytes(20, 1), 5, 4, 1));
  EXPECT_NE(read().sha256, renamed);
}

TEST_F(OwnData, GreyPicturesAmongColouredOnesAndJpegAreRead) {
  path_ = folder_ / "mixed";
  for (const char* side : {"train", "test"}) {
    write_bytes(path_ / side / "a/grey.png", encode_png(Bytes(16 * 8, 90), 16, 8, 1));
    write_bytes(path_ / side / "a/grey.JPG", jpeg({90, 0, 0}, {16, 8, 1}));
    write_bytes(path_ / side / "b/colour.jpeg", jpeg({200, 100, 50}, {16, 8, 3}));
    write_bytes(path_ / side / "b/.hidden", {1, 2});
  }
  const Dataset data = read();
  EXPECT_EQ(data.shape(), (ImageShape{16, 8, 3}));
  for (std::size_t i = 0; i < 3; ++i) {
    const auto image = data.test->image(i);
    if (data.test->labels[i] == 0) {
      EXPECT_THAT(Bytes(image.begin(), image.begin() + 3), ElementsAre(90, 90, 90));
    } else {
      EXPECT_NEAR(image[0], 200, 3);
      EXPECT_NEAR(image[1], 100, 3);
    }
  }
}

TEST_F(OwnData, AnOutlineOfPicturesHasLabelsAndAShape) {
  put_pictures({5, 4, 3});
  const Dataset whole = read(), outline = read_own(path_, ImageLayout::Hwc, Reading::Outline);
  EXPECT_EQ(outline.shape(), whole.shape());
  EXPECT_EQ(outline.train->labels, whole.train->labels);
  EXPECT_TRUE(outline.train->pixels.empty());
  // Decoded one by one, they are the same: what happens to sets that are too large to keep.
  Bytes one(60);
  for (std::size_t i = 0; i < kTrain; ++i) {
    outline.train->source->read(i, one);
    const auto kept = whole.train->image(i);
    EXPECT_EQ(one, Bytes(kept.begin(), kept.end()));
  }
}

TEST_F(OwnData, RefusesFoldersOfPicturesThatAreNotRight) {
  const auto why = [&](const std::function<void()>& spoil) {
    std::filesystem::remove_all(path_);
    put_pictures({5, 4, 1});
    spoil();
    return refusal();
  };
  EXPECT_THAT(why([&] { write_bytes(path_ / "train/2/b.png", encode_png(Bytes(16, 1), 4, 4, 1)); }),
              AllOf(HasSubstr("b.png"), HasSubstr("4x4"), HasSubstr("5x4"), HasSubstr("one size")));
  EXPECT_THAT(why([&] {
                write_bytes(path_ / "train/2/notes.txt", {'h', 'i'});
              }),
              AllOf(HasSubstr("notes.txt"), HasSubstr("neither a PNG nor a JPEG")));
  EXPECT_THAT(why([&] { std::filesystem::create_directories(path_ / "train/2/deeper"); }),
              HasSubstr("expected pictures"));
  EXPECT_THAT(why([&] { write_bytes(path_ / "train/a.png", {1}); }),
              HasSubstr("one for each class"));
  EXPECT_THAT(why([&] { std::filesystem::create_directories(path_ / "test/other"); }),
              AllOf(HasSubstr("other"), HasSubstr("no folder")));
  EXPECT_THAT(why([&] { std::filesystem::remove_all(path_ / "test"); }), HasSubstr("test/"));
  EXPECT_THAT(why([&] {
                std::filesystem::remove_all(path_ / "test");
                std::filesystem::create_directories(path_ / "test/2");
              }),
              HasSubstr("no picture"));
}

TEST_F(OwnData, ReadsIdxAsTheCatalogueDoes) {
  path_ = folder_ / "idx";
  const auto images = [](bool test) {
    Bytes bytes;
    for (const std::uint32_t word : {0x803u, test ? 6u : 12u, 4u, 3u})
      append_word(bytes, word);
    const Bytes all = pixels(test, {4, 3, 1});
    bytes.insert(bytes.end(), all.begin(), all.end());
    return bytes;
  };
  write_bytes(path_ / "emnist-train-images-idx3-ubyte", images(false));
  write_bytes(path_ / "emnist-train-labels-idx1-ubyte.gz", gzipped(idx_labels(label_list(false))));
  write_bytes(path_ / "emnist-test-images-idx3-ubyte.gz", gzipped(images(true)));
  EXPECT_THAT(refusal(), HasSubstr("no IDX file of test labels"));
  write_bytes(path_ / "emnist-test-labels-idx1-ubyte", idx_labels(label_list(true)));
  expect_all(read(), {4, 3, 1});
  write_bytes(path_ / "train-more-labels", idx_labels(label_list(false)));
  EXPECT_THAT(refusal(), HasSubstr("two files of training labels"));
}

TEST_F(OwnData, ReadsCifarsBinaryFiles) {
  path_ = folder_ / "cifar";
  const auto record = [](std::initializer_list<std::uint8_t> labels, std::uint8_t red) {
    Bytes bytes(labels);
    bytes.resize(labels.size() + 3072, 9);
    bytes[labels.size()] = red;
    return bytes;
  };
  const auto two = [](Bytes a, const Bytes& b) {
    a.insert(a.end(), b.begin(), b.end());
    return a;
  };
  write_bytes(path_ / "data_batch_1.bin", two(record({3}, 1), record({4}, 2)));
  write_bytes(path_ / "data_batch_2.bin", record({3}, 3));
  write_bytes(path_ / "test_batch.bin", record({4}, 4));
  Dataset data = read();
  EXPECT_EQ(data.shape(), (ImageShape{32, 32, 3}));
  EXPECT_THAT(data.train->labels, ElementsAre(0, 1, 0));
  EXPECT_THAT(data.class_names, ElementsAre("3", "4"));
  EXPECT_EQ(data.train->image(2)[0], 3);
  write_bytes(path_ / "test_batch.bin", Bytes(3000));
  EXPECT_THAT(refusal(), AllOf(HasSubstr("3073"), HasSubstr("3074")));
  std::filesystem::remove_all(path_);
  write_bytes(path_ / "train.bin", two(record({1, 50}, 1), record({2, 60}, 2)));
  write_bytes(path_ / "test.bin", record({1, 50}, 4));
  data = read();
  EXPECT_THAT(data.class_names, ElementsAre("50", "60"));
}

TEST_F(OwnData, SaysWhatIsUnderstoodWhenNothingIs) {
  path_ = folder_ / "empty";
  std::filesystem::create_directories(path_);
  EXPECT_THAT(refusal(), AllOf(HasSubstr("HDF5"), HasSubstr(".npz"), HasSubstr("train/")));
  path_ = folder_ / "text";
  write_bytes(path_, {'h', 'e', 'l', 'l', 'o'});
  EXPECT_THAT(refusal(), HasSubstr("neither HDF5 nor .npz"));
  EXPECT_THAT(message_of(Fault::MissingInput, [&] { read_own(folder_ / "no", ImageLayout::Hwc); }),
              HasSubstr("no file or folder"));
}

/// Prefixes are refused, unless what they lack is padding, and many files with wrong bytes in them
/// are refused or read, and never more.
void expect_no_harm(const std::filesystem::path& file, const std::function<Dataset()>& read,
                    std::size_t step) {
  const Bytes good = read_bytes(file);
  const Dataset whole = read();
  std::size_t refused = 0, tried = 0;
  for (std::size_t length = 0; length < good.size(); length += step, ++tried) {
    write_bytes(file, Bytes(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(length)));
    try {
      const Dataset found = read();
      EXPECT_EQ(found.train->pixels, whole.train->pixels) << length;
      EXPECT_EQ(found.test->pixels, whole.test->pixels) << length;
      EXPECT_EQ(found.train->labels, whole.train->labels) << length;
    } catch (const Error& e) {
      ++refused;
      EXPECT_THAT(e.what(), HasSubstr(file.filename().string())) << length;
    }
  }
  EXPECT_GE(refused, tried * 9 / 10);
  Rng rng(7);
  for (int round = 0; round < 150; ++round) {
    Bytes bad = good;
    for (std::uint32_t k = 1 + rng.below(4); k > 0; --k)
      bad[rng.below(static_cast<std::uint32_t>(bad.size()))] =
          static_cast<std::uint8_t>(rng.below(256));
    write_bytes(file, bad);
    try {
      read();
    } catch (const Error&) {  // fine
    }
  }
  write_bytes(file, good);
  read();
}

TEST_F(OwnData, TruncatedAndCorruptFilesDoNoHarm) {
  put_npz("<f4", "2, 2", raw(std::vector<float>(48, .5F)), raw(std::vector<float>(24, .5F)));
  expect_no_harm(
      path_, [&] { return read(); }, 13);
  put_good_h5({3, 2, 3});
  expect_no_harm(
      path_, [&] { return read(); }, 61);
  put_pictures({5, 4, 3});
  expect_no_harm(
      path_ / "train/2/01.png", [&] { return read(); }, 2);
  path_ = folder_ / "jpegs";
  for (const char* side : {"train", "test"})
    write_bytes(path_ / side / "a/1.jpg", jpeg({90, 10, 30}, {16, 8, 3}));
  expect_no_harm(
      path_ / "train/a/1.jpg", [&] { return read(); }, 5);
}

TEST_F(OwnData, HeadersThatClaimTooMuchAreRefused) {
  put_pictures({5, 4, 1});
  Bytes png = encode_png(Bytes(20, 1), 5, 4, 1);
  const auto claim = [&](std::size_t at, std::uint32_t value) {
    Bytes bad = png;
    for (std::size_t k = 0; k < 4; ++k)
      bad[at + k] = static_cast<std::uint8_t>(value >> (24 - 8 * k));
    write_bytes(path_ / "train/2/01.png", bad);
    return refusal();
  };
  EXPECT_THAT(claim(16, 0xffffffff), HasSubstr("sides are 1 to"));
  EXPECT_THAT(claim(20, 0), HasSubstr("sides are 1 to"));
  EXPECT_THAT(claim(16, 900'000), HasSubstr("cannot hold"));
  png[24] = 16;
  EXPECT_THAT(claim(20, 5), HasSubstr("16 bits"));
  put_npz("|u1", "2, 2", "abcd", "abcd");
  EXPECT_THAT(refusal(), HasSubstr("needs 48 bytes and has 4"));
  put_npz("|u1", "4294967295, 4294967295", "abcd", "abcd");
  EXPECT_THAT(refusal(), HasSubstr("2^31"));
  put_npz("<c8", "1", std::string(96, 'a'), std::string(48, 'a'));
  EXPECT_THAT(refusal(), HasSubstr("<c8"));
}

TEST_F(OwnData, EveryStreamRunsOverIt) {
  put_good_h5({3, 2, 3});
  StreamOptions o;
  o.benchmark = "own";
  o.data_path = path_.string();
  o.normalise = Normalise::Standard;
  o.validation = .25;
  const Dataset data = load_benchmark(o, {});
  o.tasks = 3;
  o.classes_per_task = 1;
  const auto split = make_stream(o, data, 1);  // stream = auto
  EXPECT_EQ(split->task_name(1), "dog");
  EXPECT_EQ(split->experience(0).train.size(), 3u);
  EXPECT_EQ(split->validation(0).size(), 1u);
  for (const StreamKind kind : {StreamKind::Permuted, StreamKind::Rotated}) {
    o.stream = kind;
    const auto stream = make_stream(o, data, 1);
    EXPECT_EQ(stream->experience(2).train.size(), 9u);
    EXPECT_THAT(stream->describe(), HasSubstr("own (set.h5)"));
  }
  // Normalised by its own mean and deviation: of all training images, mean 0 and deviation 1.
  o.stream = StreamKind::Permuted;
  o.validation = 0;
  o.first_task_identity = true;
  double sum = 0, squares = 0, n = 0;
  for (const auto& [x, label, task] : content(make_stream(o, data, 1)->experience(0).train))
    for (std::size_t p = 0; p < x.size(); p += 3, ++n)
      sum += static_cast<double>(x[p]), squares += static_cast<double>(x[p] * x[p]);
  EXPECT_NEAR(sum / n, 0, 1e-5);
  EXPECT_NEAR(squares / n, 1, 1e-5);
}

TEST_F(OwnData, IsFoundAsWrittenOrBelowAFolderOfDataSets) {
  put_good_h5({3, 2, 1});
  StreamOptions o;
  o.benchmark = "own";
  const auto why = [&](Fault fault) {
    return message_of(fault, [&] {
      check_benchmark(o);
      load_benchmark(o, {{folder_.path()}});
    });
  };
  EXPECT_THAT(why(Fault::Config), HasSubstr("data_path"));
  o.data_path = "set.h5";
  EXPECT_EQ(load_benchmark(o, {{folder_ / "no", folder_.path()}}).classes, kClasses);
  o.data_path = "sett.h5";
  EXPECT_THAT(why(Fault::MissingInput), HasSubstr((folder_ / "sett.h5").string()));
  o.benchmark = "synthetic";
  EXPECT_THAT(why(Fault::Config), HasSubstr("benchmark = own"));
}

TEST(Png, DecodesWhatItEncodes) {
  for (const ImageShape shape : {ImageShape{3, 5, 1}, ImageShape{3, 5, 3}}) {
    const Bytes image = pixels(false, {3, 5, shape.channels});
    const Bytes one(image.begin(), image.begin() + shape.size());
    const auto file = encode_png(one, 3, 5, shape.channels);
    EXPECT_EQ(png_shape(file), shape);
    Bytes out(one.size());
    decode_png(file, shape, out);
    EXPECT_EQ(out, one);
  }
  const Bytes grey{1, 2, 3, 4};
  Bytes coloured(12);
  decode_png(encode_png(grey, 2, 2, 1), {2, 2, 3}, coloured);
  EXPECT_THAT(coloured, ElementsAre(1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4));
}

}  // namespace
}  // namespace engram
