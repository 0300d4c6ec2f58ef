// Attributes as tasks, over generated images and over a small CelebA written with libjpeg.
#include <cmath>

#include <fmt/format.h>

#include "benchmarks/catalog.h"
#include "benchmarks/celeba.h"
#include "benchmarks/fetch.h"
#include "benchmarks/jpeg.h"
#include "benchmarks/stream_table.h"
#include "tests/benchmarks/jpeg_bytes.h"
#include "tests/benchmarks/stream_helpers.h"

namespace engram {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr ImageShape kSize{24, 16, 3};

Bytes bytes_of(const std::string& text) {
  return {text.begin(), text.end()};
}

/// Six images: 0 1 3 for training, 4 for validation, 2 5 for the test. Image i has a red of 40 i.
class SmallCelebA : public testing::Test {
 protected:
  SmallCelebA() {
    write("list_attr_celeba.txt", attributes_);
    write("list_eval_partition.txt", partition_);
    for (int i = 0; i < 6; ++i)
      write_bytes(picture(i), jpeg({40 * i, 100, 200}, kSize));
  }
  void write(const char* name, const std::string& text) const {
    write_bytes(folder_ / "celeba" / name, bytes_of(text));
  }
  std::filesystem::path picture(int i) const {
    return folder_ / "celeba/img_align_celeba" / fmt::format("{}.jpg", i);
  }
  Dataset read() const {
    const auto root = folder_ / "celeba";
    return read_celeba(root / "list_attr_celeba.txt", root / "list_eval_partition.txt", root,
                       kSize);
  }
  std::string refusal(const char* name, const std::string& text) const {
    write(name, text);
    return message_of(Fault::Data, [&] { read(); });
  }
  std::string replaced(std::string text, const std::string& from, const std::string& to) const {
    EXPECT_NE(text.find(from), std::string::npos);
    return text.replace(text.find(from), from.size(), to);
  }

  TempFolder folder_;
  std::string attributes_ =
      "6\nBald Smiling Young\n"
      "0.jpg -1  1 -1\n1.jpg  1  1 -1\n2.jpg -1 -1  1\n"
      "3.jpg  1 -1 -1\n4.jpg  1  1  1\n5.jpg -1  1  1\r\n";
  std::string partition_ = "0.jpg 0\n1.jpg 0\n2.jpg 2\n3.jpg 0\n4.jpg 1\n5.jpg 2\n";
};

StreamOptions asks(std::vector<std::string> names = {}) {
  StreamOptions o = options(StreamKind::Attributes, 10);
  o.attributes = std::move(names);
  o.validation = .1;
  return o;
}

TEST_F(SmallCelebA, CutsTheImagesByTheListsIntoTasks) {
  const auto stream = make_stream(asks(), read(), kSeed);
  ASSERT_EQ(stream->tasks(), 3);
  EXPECT_EQ(stream->task_name(1), "Smiling");
  EXPECT_THAT(stream->classes(2), ElementsAre(0, 1));
  EXPECT_TRUE(stream->tasks_share_images());
  const Experience smiling = stream->experience(1);
  EXPECT_THAT(labels(smiling.train), ElementsAre(1, 1, 0));
  EXPECT_THAT(labels(smiling.validation), ElementsAre(1));
  EXPECT_THAT(labels(smiling.test), ElementsAre(0, 1));
  EXPECT_THAT(labels(stream->experience(0).train), ElementsAre(0, 1, 1));
}

TEST_F(SmallCelebA, DecodesTheImagesOfTheRows) {
  const auto stream = make_stream(asks(), read(), kSeed);
  EXPECT_EQ(stream->shape(), kSize);
  const auto reds = [](const ExampleSet& set) {
    std::vector<int> out;
    for (const auto& example : content(set)) {
      const auto& x = std::get<0>(example);
      EXPECT_NEAR(x[1] * 255, 100, 4);
      EXPECT_NEAR(x[x.size() - 1] * 255, 200, 4);
      out.push_back(static_cast<int>(std::lround(x[0] * 255 / 40)));
    }
    return out;
  };
  EXPECT_THAT(reds(stream->experience(2).train), ElementsAre(0, 1, 3));
  EXPECT_THAT(reds(stream->validation(0)), ElementsAre(4));
  EXPECT_THAT(reds(stream->test(0)), ElementsAre(2, 5));
}

TEST_F(SmallCelebA, ImagesMayLieBesideTheLists) {
  for (int i = 0; i < 6; ++i)
    std::filesystem::rename(picture(i), folder_ / "celeba" / picture(i).filename());
  EXPECT_EQ(content(make_stream(asks(), read(), kSeed)->test(0)).size(), 2u);
  std::filesystem::remove(folder_ / "celeba/0.jpg");
  EXPECT_THAT(message_of(Fault::MissingInput, [&] { read(); }),
              AllOf(HasSubstr("no 0.jpg"), HasSubstr("img_align_celeba.zip")));
}

TEST_F(SmallCelebA, AsksOnlyWhatIsChosenInThatOrder) {
  const auto stream = make_stream(asks({"Young", "Bald"}), read(), kSeed);
  ASSERT_EQ(stream->tasks(), 2);
  EXPECT_EQ(stream->task_name(0), "Young");
  EXPECT_THAT(labels(stream->test(0)), ElementsAre(1, 1));
  EXPECT_THAT(labels(stream->experience(1).train), ElementsAre(0, 1, 1));
  const auto refused = [&](std::vector<std::string> names) {
    return message_of(Fault::Config, [&] { make_stream(asks(std::move(names)), read(), kSeed); });
  };
  EXPECT_THAT(refused({"Smilling"}), HasSubstr("did you mean 'Smiling'?"));
  EXPECT_THAT(refused({"Bald", "Bald"}), HasSubstr("named twice"));
}

TEST_F(SmallCelebA, DecodesAtAFractionOfTheSize) {
  StreamOptions o = asks();
  for (const auto& [scale, shape] :
       {std::pair{2, ImageShape{12, 8, 3}}, {4, {6, 4, 3}}, {8, {3, 2, 3}}}) {
    o.image_scale = scale;
    const auto stream = make_stream(o, read(), kSeed);
    EXPECT_EQ(stream->shape(), shape);
    const auto x = std::get<0>(content(stream->test(0))[1]);
    ASSERT_EQ(x.size(), static_cast<std::size_t>(shape.size()));
    EXPECT_NEAR(x[x.size() - 3] * 255, 200, 4);
  }
  o.image_scale = 3;
  EXPECT_THAT(message_of(Fault::Config, [&] { make_stream(o, read(), kSeed); }),
              HasSubstr("expected 1, 2, 4 or 8"));
}

TEST_F(SmallCelebA, JointBatchesShareImages) {
  StreamOptions o = asks();
  o.protocol = Protocol::Joint;
  const ExampleSet train = make_stream(o, read(), kSeed)->experience(0).train;
  EXPECT_EQ(train.views(), 3u);
  // The tasks of an image one after the other, as joint_tasks = together has them.
  const Content all = content(train.subset(std::vector<std::uint32_t>{1, 4, 7, 2, 5, 8, 0}));
  for (const std::size_t i : {1u, 2u})
    EXPECT_EQ(std::get<0>(all[i]), std::get<0>(all[0]));
  EXPECT_NE(std::get<0>(all[3]), std::get<0>(all[0]));
  EXPECT_NE(std::get<0>(all[6]), std::get<0>(all[3]));
  EXPECT_EQ(std::get<1>(all[1]), 1);
  EXPECT_EQ(std::get<1>(all[2]), 0);
}

TEST_F(SmallCelebA, RefusesListsThatAreNotWellFormed) {
  const char* list = "list_attr_celeba.txt";
  const auto bad = [&](const std::string& from, const std::string& to) {
    return refusal(list, replaced(attributes_, from, to));
  };
  EXPECT_THAT(bad("6\n", "\n"), HasSubstr("list_attr_celeba.txt:1: expected the number"));
  EXPECT_THAT(bad("6\n", "-6\n"), HasSubstr(":1: "));
  EXPECT_THAT(bad("6\n", "99999999999\n"), HasSubstr(":1: "));
  EXPECT_THAT(bad("6\n", "5\n"), HasSubstr("more lines than its 5 images"));
  EXPECT_THAT(bad("6\n", "7\n"), HasSubstr(":9: expected a file name and 3 values, found 0 words"));
  EXPECT_THAT(bad("Bald Smiling Young", ""), HasSubstr(":2: expected the names"));
  EXPECT_THAT(bad("Young", "Bald"), HasSubstr(":2: an attribute is named twice"));
  EXPECT_THAT(bad("1.jpg  1  1 -1", "1.jpg  1  0 -1"),
              HasSubstr(":4: Smiling: expected 1 or -1, found '0'"));
  EXPECT_THAT(bad("1.jpg  1  1 -1", "1.jpg  1"), HasSubstr(":4: expected a file name"));
  EXPECT_THAT(bad("1.jpg", "../1.jpg"), HasSubstr(":4: '../1.jpg' is not a file name"));
  EXPECT_THAT(bad("1.jpg", ".."), HasSubstr(":4: '..' is not a file name"));
  EXPECT_THAT(refusal(list, ""), HasSubstr(":1: "));
}

TEST_F(SmallCelebA, RefusesAPartitionThatDoesNotFit) {
  const char* list = "list_eval_partition.txt";
  const auto bad = [&](const std::string& from, const std::string& to) {
    return refusal(list, replaced(partition_, from, to));
  };
  EXPECT_THAT(bad("2.jpg 2", "2.jpg 3"), HasSubstr("list_eval_partition.txt:3: expected 0"));
  EXPECT_THAT(bad("2.jpg 2", "2.jpg"), HasSubstr(":3: expected '2.jpg' and its part"));
  EXPECT_THAT(bad("2.jpg 2", "9.jpg 2"), HasSubstr(":3: expected '2.jpg'"));
  EXPECT_THAT(bad("5.jpg 2\n", ""), HasSubstr(":6: expected '5.jpg'"));
  EXPECT_THAT(refusal(list, partition_ + "6.jpg 2\n"), HasSubstr("more lines than the 6 images"));
}

TEST_F(SmallCelebA, NamesTheFileOfAPictureThatIsBad) {
  const auto refused = [&](Fault fault) {
    return message_of(fault, [&] { content(make_stream(asks(), read(), kSeed)->test(0)); });
  };
  write_bytes(picture(2), jpeg({1, 2, 3}, {24, 17, 3}));
  EXPECT_THAT(
      refused(Fault::Data),
      AllOf(HasSubstr("2.jpg"), HasSubstr("expected a picture of 16x24 pixels, found 17x24")));
  write_bytes(picture(2), {});
  EXPECT_THAT(refused(Fault::Data), HasSubstr("2.jpg"));
  write_bytes(picture(2), bytes_of("not a picture at all"));
  EXPECT_THAT(refused(Fault::Data), HasSubstr("2.jpg: not a good JPEG file"));
  std::filesystem::remove(picture(2));
  EXPECT_THAT(refused(Fault::MissingInput), HasSubstr("2.jpg"));
}

TEST_F(SmallCelebA, IsFoundAndListedButNotFetched) {
  const DataSearch search{{folder_.path()}};
  EXPECT_EQ(verify_data(dataset_entry("celeba"), search).proof, Proof::Present);
  const Dataset found = load_dataset("celeba", search);
  EXPECT_EQ(found.train->size(), 4u);
  EXPECT_EQ(found.held_out, 1u);
  EXPECT_THAT(message_of(Fault::MissingInput, [] { load_dataset("celeba", {}); }),
              AllOf(HasSubstr("list_attr_celeba.txt"), HasSubstr("data/celeba/")));
  EXPECT_THAT(
      message_of(Fault::Usage, [&] { fetch_data(dataset_entry("celeba"), folder_.path(), {}); }),
      HasSubstr("cannot be downloaded"));
}

TEST(Jpeg, NeverTakesATruncatedOrSpoiltFileForAGoodOneAndNeverBreaks) {
  const Bytes good = jpeg({200, 30, 90}, kSize);
  Bytes out(static_cast<std::size_t>(kSize.size()));
  EXPECT_NO_THROW(decode_jpeg(good, kSize, 1, out));
  for (std::size_t length = 0; length + 2 < good.size(); ++length)  // the last two say "end"
    EXPECT_THROW(decode_jpeg(std::span(good).first(length), kSize, 1, out), Error) << length;
  for (std::size_t at = 0; at < good.size(); ++at)
    for (const int flip : {0x01, 0x80, 0xff}) {
      Bytes bad = good;
      bad[at] = static_cast<std::uint8_t>(bad[at] ^ flip);
      try {
        decode_jpeg(bad, kSize, 2, std::span(out).first(12 * 8 * 3));
      } catch (const Error& e) {
        EXPECT_EQ(e.fault(), Fault::Data);
      }
    }
}

TEST(Jpeg, GreyPicturesBecomeColoured) {
  Bytes out(static_cast<std::size_t>(kSize.size()));
  decode_jpeg(jpeg({77, 0, 0}, {24, 16, 1}), kSize, 1, out);
  for (const std::uint8_t byte : out)
    EXPECT_NEAR(byte, 77, 2);
}

TEST(SyntheticAttributes, AreBalancedIndependentAndDrawn) {
  const Dataset data = load_dataset("synthetic_attributes", {});
  ASSERT_EQ(data.views.size(), 6u);
  const auto& views = data.train->views;
  EXPECT_EQ(data.train->size(), 2000 + data.held_out);
  for (std::size_t a = 0; a < 6; ++a) {
    EXPECT_EQ(std::count(views[a].begin(), views[a].end(), 1),
              static_cast<std::ptrdiff_t>(views[a].size() / 2));
    for (std::size_t b = 0; b < a; ++b) {
      double both = 0;
      for (std::size_t i = 0; i < views[a].size(); ++i)
        both += views[a][i] & views[b][i];
      EXPECT_NEAR(both / static_cast<double>(views[a].size()), .25, .03);
    }
  }
  // Red less blue tells a red tint, and nothing of a blob.
  double tinted = 0, plain = 0;
  for (std::size_t i = 0; i < data.train->size(); ++i) {
    const auto image = data.train->image(i);
    for (std::size_t p = 0; p < image.size(); p += 3)
      (views[4][i] ? tinted : plain) += image[p] - image[p + 2];
  }
  EXPECT_GT(tinted, 10 * std::abs(plain));
  EXPECT_EQ(data.sha256, load_dataset("synthetic_attributes", {}).sha256);
}

TEST(SyntheticAttributes, FitTheConstantsOfTheTable) {
  const Dataset data = load_dataset("synthetic_attributes", {});
  const PixelScale& known = dataset_entry("synthetic_attributes").standard;
  for (std::size_t c = 0; c < 3; ++c) {
    double sum = 0, squares = 0, n = 0;
    for (std::size_t p = c; p < data.train->pixels.size(); p += 3) {
      const double v = data.train->pixels[p] / 255.;
      sum += v, squares += v * v, ++n;
    }
    EXPECT_NEAR(known.mean[c], sum / n, .006) << c;
    EXPECT_NEAR(known.deviation[c], std::sqrt(squares / n - sum * sum / n / n), .006) << c;
  }
}

TEST(Attributes, AreTheStreamOfSetsThatHaveThemAndOfNoOthers) {
  EXPECT_EQ(stream_kind({}, "celeba"), StreamKind::Attributes);
  EXPECT_EQ(stream_kind({}, "synthetic_attributes"), StreamKind::Attributes);
  const Dataset data = load_dataset("synthetic_attributes", {});
  EXPECT_THAT(
      message_of(Fault::Config, [&] { make_stream(options(StreamKind::Split, 1), data, 1); }),
      HasSubstr("use stream = attributes"));
  EXPECT_THAT(message_of(Fault::Config, [] { make_stream(asks(), tiny_dataset(), 1); }),
              HasSubstr("tiny has no attributes"));
  StreamOptions o = asks();
  o.image_scale = 2;
  EXPECT_THAT(message_of(Fault::Config, [&] { make_stream(o, data, 1); }),
              HasSubstr("image_scale is for JPEG"));
}

}  // namespace
}  // namespace engram
