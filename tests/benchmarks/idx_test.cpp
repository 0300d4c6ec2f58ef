#include "benchmarks/idx.h"

#include "tests/benchmarks/helpers.h"

namespace engram {
namespace {

using testing::AllOf;
using testing::HasSubstr;

struct Pair {
  Bytes images = idx_images(4, 2, 3), labels = idx_labels({0, 1, 2, 1});

  Images read(int classes = 3, std::vector<std::string>* digests = nullptr) const {
    TempFolder folder;
    write_bytes(folder / "images", images);
    write_bytes(folder / "labels", labels);
    return read_idx(folder / "images", folder / "labels", classes, digests);
  }
  std::string refusal() const {
    return message_of(Fault::Data, [&] { read(); });
  }
};

void set_word(Bytes& bytes, std::size_t at, std::uint32_t word) {
  for (std::size_t k = 0; k < 4; ++k)
    bytes[4 * at + k] = static_cast<std::uint8_t>(word >> (24 - 8 * k));
}

TEST(Idx, ReadsAPair) {
  const Images got = Pair().read();
  EXPECT_EQ(got.shape, (ImageShape{2, 3, 1}));
  EXPECT_EQ(got.labels, (std::vector<Label>{0, 1, 2, 1}));
  EXPECT_EQ(got.image(1)[0], 6);
}

TEST(Idx, ReadsGzipAndGivesTheDigestOfTheContent) {
  Pair plain, packed;
  packed.images = gzipped(packed.images);
  packed.labels = gzipped(packed.labels);
  std::vector<std::string> a, b;
  EXPECT_EQ(plain.read(3, &a).pixels, packed.read(3, &b).pixels);
  EXPECT_EQ(a, b);
  EXPECT_EQ(a.size(), 2u);
  EXPECT_EQ(a[0].size(), 64u);
}

TEST(Idx, RefusesATruncatedFile) {
  Pair pair;
  pair.images.pop_back();
  EXPECT_THAT(pair.refusal(),
              AllOf(HasSubstr("images: truncated"), HasSubstr("40 bytes"), HasSubstr("found 39")));
  pair = Pair();
  pair.labels.resize(5);
  EXPECT_THAT(pair.refusal(), HasSubstr("labels: truncated"));
  pair.labels.clear();
  EXPECT_THAT(pair.refusal(), HasSubstr("labels: truncated"));
}

TEST(Idx, RefusesAnOversizedFile) {
  Pair pair;
  pair.labels.push_back(0);
  EXPECT_THAT(pair.refusal(), AllOf(HasSubstr("too long"), HasSubstr("12 bytes, found 13")));
}

TEST(Idx, RefusesALabelOutOfRange) {
  Pair pair;
  pair.labels[8 + 2] = 3;
  EXPECT_THAT(pair.refusal(), HasSubstr("label 3 of example 2: expected 0 to 2"));
}

TEST(Idx, RefusesImagesAndLabelsOfDifferentNumber) {
  Pair pair;
  pair.labels = idx_labels({0, 1, 2});
  EXPECT_THAT(pair.refusal(), HasSubstr("3 labels, but images has 4 images"));
}

TEST(Idx, RefusesAWrongMagicNumberAndNoticesSwappedFiles) {
  Pair pair;
  set_word(pair.images, 0, 0x802);
  EXPECT_THAT(pair.refusal(),
              AllOf(HasSubstr("expected magic number 0x00000803"), HasSubstr("found 0x00000802")));
  pair = Pair();
  std::swap(pair.images, pair.labels);
  pair.images.resize(16);  // long enough for a header of images
  EXPECT_THAT(pair.refusal(), HasSubstr("are images and labels swapped?"));
}

TEST(Idx, RefusesDimensionsThatWouldOverflow) {
  Pair pair;
  for (const std::size_t word : {1u, 2u, 3u})
    set_word(pair.images, word, 0xffffffff);
  EXPECT_THAT(pair.refusal(), HasSubstr("expected sides of 1 to 4096"));
  set_word(pair.images, 2, 4096);
  set_word(pair.images, 3, 4096);  // 2^32 * 2^24 bytes: told, not allocated
  EXPECT_THAT(pair.refusal(), HasSubstr("72057594021150736 bytes, found 40"));
  set_word(pair.images, 2, 0);
  EXPECT_THAT(pair.refusal(), HasSubstr("0x4096 pixels"));
}

TEST(Idx, RefusesBrokenGzip) {
  Pair pair;
  Bytes packed = gzipped(pair.images);
  pair.images = packed;
  pair.images.resize(packed.size() - 6);
  EXPECT_THAT(pair.refusal(), HasSubstr("images"));
  pair.images = packed;
  pair.images[packed.size() - 7] ^= 0xff;  // the checksum
  EXPECT_THAT(pair.refusal(), HasSubstr("images"));
}

TEST(Idx, SaysWhichFileIsAbsent) {
  TempFolder folder;
  EXPECT_THAT(message_of(Fault::MissingInput, [&] { read_idx(folder / "a", folder / "b", 10); }),
              HasSubstr((folder / "a").string()));
}

TEST(Idx, UnpacksNoMoreThanItIsTold) {
  const TempFolder folder;
  write_bytes(folder / "images", gzipped(idx_images(4, 2, 3)));
  write_bytes(folder / "labels", idx_labels({0, 1, 2, 1}));
  const auto read = [&](std::size_t most) {
    return read_idx(folder / "images", folder / "labels", 3, nullptr, most);
  };
  EXPECT_EQ(read(40).labels.size(), 4u);  // four words and 24 pixels
  EXPECT_THAT(message_of(Fault::Data, [&] { read(39); }), HasSubstr("39 bytes"));
}

}  // namespace
}  // namespace engram
