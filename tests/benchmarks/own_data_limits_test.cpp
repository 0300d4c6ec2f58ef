// The edges of what is understood of a user's own data: sizes, labels, types, names, scales.
#include <cmath>
#include <numeric>

#include "benchmarks/own/own_parts.h"
#include "tests/benchmarks/own_data_files.h"

namespace engram {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::npy;
using testing::raw;

TEST(OwnShapes, AreRefusedWhenArithmeticWouldNotHoldThem) {
  const auto why = [](std::size_t height, std::size_t width, std::size_t channels) {
    return message_of(Fault::Data, [&] { own::checked_shape("file", height, width, channels); });
  };
  EXPECT_EQ(own::checked_shape("file", 1 << 13, 1 << 14, 1), (ImageShape{1 << 13, 1 << 14, 1}));
  EXPECT_THAT(why(1 << 13, 1 << 14, 2), HasSubstr("scale them down"));
  EXPECT_THAT(why((std::size_t{1} << 27) + 1, 1, 1), HasSubstr("scale them down"));
  // Products that are 0 in 64 bits.
  EXPECT_THAT(why(std::size_t{1} << 32, std::size_t{1} << 32, 1), HasSubstr("scale them down"));
  EXPECT_THAT(why(2, std::size_t{1} << 63, 1), HasSubstr("scale them down"));
  EXPECT_THAT(why(2, 0, 1), HasSubstr("2x0"));
  EXPECT_THAT(why(2, 2, 5), HasSubstr("5 channels"));
}

TEST_F(OwnData, ClassesMayBeTwoToTheSixteenth) {
  const auto with = [&](std::size_t classes) {
    put_h5([&](const h5::Group& train, const h5::Group& test, const h5::Group&) {
      std::vector<std::int64_t> labels(classes);
      std::iota(labels.begin(), labels.end(), -5);
      train.write("images", Bytes(classes, 1), {classes, 1, 1});
      train.write("labels", labels, {classes});
      test.write("images", Bytes(1, 1), {1, 1, 1});
      test.write("labels", std::vector<std::int64_t>{7}, {1});
    });
  };
  with(1 << 16);
  EXPECT_EQ(read().classes, 1 << 16);
  with((1 << 16) + 1);
  EXPECT_THAT(refusal(), HasSubstr("65537 different labels"));
}

TEST_F(OwnData, LabelsOfTheTestMustOccurInTraining) {
  const auto with = [&](std::vector<std::int64_t> labels) {
    put_h5([&](const h5::Group& train, const h5::Group& test, const h5::Group&) {
      train.write("images", Bytes{1, 2}, {2, 1, 1});
      train.write("labels", std::vector<std::int64_t>{0, 4}, {2});
      const std::size_t n = labels.size();
      test.write("images", Bytes(n, 1), {n, 1, 1});
      test.write("labels", labels, {n});
    });
    return refusal();
  };
  for (const std::int64_t label : {-1, 2, 5})  // before, between and behind them
    EXPECT_THAT(
        with({4, label}),
        HasSubstr(fmt::format("test example 1 has the label {}, which no training", label)));
  EXPECT_THAT(with({}), HasSubstr("2 training and 0 test examples"));
}

TEST_F(OwnData, LabelsOfAnNpzAreWholeNumbers) {
  const auto with = [&](std::vector<double> labels) {
    path_ = folder_ / "set.npz";
    const std::string two = fmt::format("({},)", labels.size());
    write_bytes(path_, testing::zip({{"x_train.npy", npy("|u1", "(2, 1)", "ab")},
                                     {"y_train.npy", npy("<f8", two, raw(labels))},
                                     {"x_test.npy", npy("|u1", "(2, 1)", "cd")},
                                     {"y_test.npy", npy("<f8", two, raw(labels))}}));
  };
  with({3, -2});
  EXPECT_THAT(read().class_names, ElementsAre("-2", "3"));
  for (const double bad : {0.5, std::nan(""), 1e300, -HUGE_VAL}) {
    with({3, bad});
    EXPECT_THAT(refusal(), HasSubstr("labels are whole numbers")) << bad;
  }
}

TEST_F(OwnData, EveryByteComesBackFromItsShare) {
  std::vector<float> shares(256);
  std::vector<double> fine(256);
  for (std::size_t v = 0; v < 256; ++v)
    shares[v] = static_cast<float>(v) / 255, fine[v] = static_cast<double>(v) / 255;
  Bytes all(256);
  std::iota(all.begin(), all.end(), std::uint8_t{0});
  const auto with = [&](const std::string& type, const std::string& train) {
    path_ = folder_ / "set.npz";
    write_bytes(path_, testing::zip({{"x_train.npy", npy(type, "(1, 16, 16)", train)},
                                     {"y_train.npy", npy("|u1", "(1,)", "a")},
                                     {"x_test.npy", npy("|u1", "(1, 16, 16)", text(all))},
                                     {"y_test.npy", npy("|u1", "(1,)", "a")}}));
    return read().train->pixels;
  };
  EXPECT_EQ(with("<f4", raw(shares)), all);
  EXPECT_EQ(with("<f8", raw(fine)), all);
  // Others are rounded.
  fine[0] = 0.5, fine[1] = 1.999 / 255, fine[2] = 0.1 / 255;
  const auto rounded = with("<f8", raw(fine));
  EXPECT_EQ(rounded[0], 128);
  EXPECT_EQ(rounded[1], 2);
  EXPECT_EQ(rounded[2], 0);
}

TEST_F(OwnData, TruthValuesAreBlackAndWhite) {
  std::string train(48, '\0'), test(24, '\1');
  train[5] = '\1';
  put_npz("|b1", "2, 2", train, test);
  const Dataset data = read();
  EXPECT_EQ(data.train->pixels[5], 255);
  EXPECT_EQ(data.train->pixels[4], 0);
  EXPECT_EQ(data.test->pixels[0], 255);
}

TEST_F(OwnData, ArraysInFortransOrderAreRefusedUnlessThatIsTheSame) {
  const auto with = [&](const std::string& images, const std::string& labels) {
    path_ = folder_ / "set.npz";
    write_bytes(path_, testing::zip({{"x_train.npy", npy("|u1", "(2, 3)", "abcdef", images)},
                                     {"y_train.npy", npy("|u1", "(2,)", "ab", labels)},
                                     {"x_test.npy", npy("|u1", "(2, 3)", "abcdef")},
                                     {"y_test.npy", npy("|u1", "(2,)", "ab")}}));
  };
  with("True", "False");
  EXPECT_THAT(refusal(), AllOf(HasSubstr("'x_train'"), HasSubstr("ascontiguousarray")));
  with("False", "True");  // NumPy says so of every array of one axis
  EXPECT_EQ(read().classes, 2);
}

TEST_F(OwnData, AnErrorNamesItsFileOnce) {
  const auto times = [](const std::string& message, const std::string& part) {
    int n = 0;
    for (auto at = message.find(part); at != std::string::npos; at = message.find(part, at + 1))
      ++n;
    return n;
  };
  path_ = folder_ / "set.npz";
  write_bytes(path_, testing::zip({{"x_train.npy", "no array"}}));
  EXPECT_EQ(times(refusal(), "set.npz"), 1) << refusal();
  put_h5([](const h5::Group&, const h5::Group&, const h5::Group&) {});
  EXPECT_EQ(times(refusal(), "set.h5"), 1) << refusal();
}

TEST_F(OwnData, FilesOfMnistsNamesAndOtherFoldersOfIdx) {
  path_ = folder_ / "idx";
  const auto images = [](std::uint32_t n) {
    Bytes bytes;
    for (const std::uint32_t word : {0x803u, n, 1u, 2u})
      append_word(bytes, word);
    bytes.resize(bytes.size() + 2 * n, 7);
    return bytes;
  };
  write_bytes(path_ / "train-labels-idx1-ubyte", idx_labels({0, 1}));
  EXPECT_THAT(refusal(), HasSubstr("no IDX file of training images"));
  write_bytes(path_ / "train-images-idx3-ubyte", images(2));
  write_bytes(path_ / "t10k-labels-idx1-ubyte", idx_labels({1}));
  write_bytes(path_ / "t10k-images-idx3-ubyte", images(1));
  const Dataset data = read();
  EXPECT_EQ(data.train->size(), 2u);
  EXPECT_EQ(data.test->size(), 1u);
  EXPECT_EQ(read_own(path_ / "", ImageLayout::Hwc).name, "own (idx)");
}

TEST_F(OwnData, FilesOfCifarMustSayWhichTheyAre) {
  path_ = folder_ / "cifar";
  write_bytes(path_ / "train.bin", Bytes(3073));
  write_bytes(path_ / "test.bin", {});
  EXPECT_THAT(refusal(), HasSubstr("no whole number of CIFAR's records"));
  write_bytes(path_ / "train.bin", Bytes(3073 * 3074));
  write_bytes(path_ / "test.bin", Bytes(3073 * 3074));
  EXPECT_THAT(refusal(), HasSubstr("nothing tells which"));
}

TEST_F(OwnData, PicturesMayLieBesideWhatSystemsLeaveBehind) {
  put_pictures({5, 4, 1});
  const std::string before = read().sha256;
  for (const char* junk : {".DS_Store", "Thumbs.db", "desktop.ini"}) {
    write_bytes(path_ / "train" / junk, {1});
    write_bytes(path_ / "train/2" / junk, {1});
  }
  EXPECT_EQ(read().sha256, before);
}

TEST_F(OwnData, TheDigestAndTheOrderOfPicturesDoNotDependOnWhereTheyLie) {
  put_pictures({5, 4, 1});
  const Dataset before = read();
  const auto moved = folder_ / "elsewhere";
  std::filesystem::rename(path_, moved);
  path_ = moved;
  const Dataset after = read();
  EXPECT_EQ(after.sha256, before.sha256);
  EXPECT_EQ(after.train->labels, before.train->labels);
  // `training` is another name of the same part.
  std::filesystem::rename(path_ / "train", path_ / "training");
  EXPECT_EQ(read().train->labels, before.train->labels);
}

TEST_F(OwnData, NamesThatOnlyBeginWithANumberAreNoNumbers) {
  path_ = folder_ / "names";
  for (const char* name : {"10", "9x", "100"})
    for (const char* side : {"train", "test"})
      write_bytes(path_ / side / name / "a.png", encode_png(Bytes(4, 7), 2, 2, 1));
  EXPECT_THAT(read().class_names, ElementsAre("10", "100", "9x"));
}

TEST_F(OwnData, ColourInTheTestAloneIsColourOfAll) {
  path_ = folder_ / "late";
  write_bytes(path_ / "train/a/1.png", encode_png(Bytes(4, 7), 2, 2, 1));
  write_bytes(path_ / "test/a/1.png", encode_png(Bytes(12, 9), 2, 2, 3));
  EXPECT_EQ(read().shape(), (ImageShape{2, 2, 3}));
  // A width that differs, too.
  write_bytes(path_ / "test/a/1.png", encode_png(Bytes(6, 9), 2, 3, 1));
  EXPECT_THAT(refusal(), HasSubstr("2x3 pixels"));
  // An outline has looked at pictures up to the first in colour only, and says so when another one
  // is not like it.
  const Dataset outline = read_own(path_, ImageLayout::Hwc, Reading::Outline);
  EXPECT_EQ(outline.shape(), (ImageShape{2, 2, 1}));
  Bytes one(4);
  EXPECT_THAT(message_of(Fault::Data, [&] { outline.test->source->read(0, one); }),
              HasSubstr("where the others have 2x2x1"));
}

TEST_F(OwnData, ScaleIsThatOfTheTrainingImages) {
  put_h5([](const h5::Group& train, const h5::Group& test, const h5::Group&) {
    train.write("images", Bytes{0, 51, 255, 51}, {2, 1, 1, 2});
    train.write("labels", std::vector<std::int64_t>{0, 1}, {2});
    test.write("images", Bytes{9, 9}, {1, 1, 1, 2});
    test.write("labels", std::vector<std::int64_t>{0}, {1});
  });
  const PixelScale scale = measured_scale(*read().train);
  EXPECT_DOUBLE_EQ(scale.mean[0], 0.5);
  EXPECT_DOUBLE_EQ(scale.deviation[0], 0.5);
  EXPECT_DOUBLE_EQ(scale.mean[1], 0.2);
  EXPECT_EQ(scale.deviation[1], 1);  // one colour has no deviation to divide by
}

TEST_F(OwnData, TheScaleOfPicturesDecodedOneByOneIsThatOfAll) {
  put_pictures({5, 4, 3});
  const PixelScale kept = measured_scale(*read().train),
                   outline =
                       measured_scale(*read_own(path_, ImageLayout::Hwc, Reading::Outline).train);
  for (std::size_t c = 0; c < 3; ++c) {
    EXPECT_GT(kept.mean[c], 0.1);
    EXPECT_DOUBLE_EQ(kept.mean[c], outline.mean[c]);
    EXPECT_NEAR(kept.deviation[c], outline.deviation[c], 1e-12);
  }
}

}  // namespace
}  // namespace engram
