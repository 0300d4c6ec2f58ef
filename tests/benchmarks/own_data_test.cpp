// A user's own images in every form that is understood, and in many that are not. All files are
// written by the test.
#include <cmath>

#include "tests/benchmarks/jpeg_bytes.h"
#include "tests/benchmarks/own_data_files.h"

namespace engram {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::npy;
using testing::raw;

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

TEST_F(OwnData, ArraysOfZerosAndOnesFollowTheirPartner) {
  std::vector<std::int64_t> train(12, 1), test(6, 1);
  put_npz("<i8", "1", raw(train), raw(test));
  EXPECT_EQ(read().train->pixels.front(), 255);  // black and white
  train[3] = 2;                                  // whole numbers: those of the test are, too
  put_npz("<i8", "1", raw(train), raw(test));
  EXPECT_EQ(read().train->pixels, (Bytes{1, 1, 1, 2, 1, 1, 1, 1, 1, 1, 1, 1}));
  EXPECT_EQ(read().test->pixels, Bytes(6, 1));
  put_npz("<i8", "1", raw(std::vector<std::int64_t>(12, 1)), raw(std::vector<std::int64_t>(6, 3)));
  EXPECT_EQ(read().train->pixels, Bytes(12, 1));
  put_npz("<f4", "1", raw(std::vector<float>(12, 1)), raw(std::vector<float>(6, 0.4F)));
  EXPECT_EQ(read().train->pixels, Bytes(12, 255));
  EXPECT_EQ(read().test->pixels, Bytes(6, 102));
}

TEST_F(OwnData, TheOutlineOfMixedPicturesIsInColour) {
  put_pictures({2, 2, 1});
  const auto outline = [&] { return read_own(path_, ImageLayout::Hwc, Reading::Outline); };
  EXPECT_EQ(outline().shape(), (ImageShape{2, 2, 1}));
  const Bytes colours(12, 7);
  for (const char* name : {"train/x9/11.png", "test/10/00.png"}) {
    put_pictures({2, 2, 1});
    write_bytes(path_ / name, encode_png(colours, 2, 2, 3));
    const Dataset data = outline();
    EXPECT_EQ(data.shape(), (ImageShape{2, 2, 3})) << name;
    measured_scale(*data.train);  // decodes them all
  }
}

}  // namespace
}  // namespace engram
