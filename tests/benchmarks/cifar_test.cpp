#include "benchmarks/cifar.h"

#include "tests/benchmarks/helpers.h"

namespace engram {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

/// Records with red = r, green = 100 + r, blue = 200 + r in record r; pixel 0 of red is 77.
Bytes records(const std::vector<Bytes>& labels) {
  Bytes out;
  for (std::size_t r = 0; r < labels.size(); ++r) {
    out.insert(out.end(), labels[r].begin(), labels[r].end());
    for (std::size_t c = 0; c < 3; ++c)
      out.insert(out.end(), 1024, static_cast<std::uint8_t>(100 * c + r));
    out[out.size() - 3072] = 77;
  }
  return out;
}

Images read(const TempFolder& folder, const std::vector<Bytes>& files, CifarKind kind,
            std::size_t count) {
  std::vector<std::filesystem::path> paths;
  for (const Bytes& file : files) {
    paths.push_back(folder / ("file" + std::to_string(paths.size())));
    write_bytes(paths.back(), file);
  }
  return read_cifar(paths, kind, count);
}

TEST(Cifar, InterleavesTheColourPlanesOfAllFiles) {
  const Images got =
      read(TempFolder(), {records({{3}, {4}}), records({{5}, {6}})}, CifarKind::Ten, 2);
  EXPECT_EQ(got.shape, (ImageShape{32, 32, 3}));
  EXPECT_EQ(got.labels, (std::vector<Label>{3, 4, 5, 6}));
  EXPECT_THAT(got.image(1).first(6), ElementsAre(77, 101, 201, 1, 101, 201));
  EXPECT_EQ(got.image(3)[3071], 201);
}

TEST(Cifar, TakesTheFineLabelOfCifar100) {
  const Images got = read(TempFolder(), {records({{19, 99}, {0, 42}})}, CifarKind::Hundred, 2);
  EXPECT_EQ(got.labels, (std::vector<Label>{99, 42}));
}

TEST(Cifar, RefusesAWrongSize) {
  TempFolder folder;
  Bytes file = records({{1}, {2}});
  file.pop_back();
  EXPECT_THAT(message_of(Fault::Data, [&] { read(folder, {file}, CifarKind::Ten, 2); }),
              AllOf(HasSubstr("file0: truncated"), HasSubstr("6146 bytes, found 6145")));
  file.resize(file.size() + 2);
  EXPECT_THAT(message_of(Fault::Data, [&] { read(folder, {file}, CifarKind::Ten, 2); }),
              HasSubstr("too long"));
  EXPECT_THAT(  // CIFAR-10 given for CIFAR-100
      message_of(Fault::Data, [&] { read(folder, {records({{1}})}, CifarKind::Hundred, 1); }),
      HasSubstr("records of 3074 bytes"));
}

TEST(Cifar, RefusesImpossibleLabels) {
  TempFolder folder;
  EXPECT_THAT(message_of(Fault::Data,
                         [&] {
                           read(folder, {records({{1}, {10}})}, CifarKind::Ten, 2);
                         }),
              HasSubstr("label 10 of record 1: expected 0 to 9"));
  EXPECT_THAT(message_of(Fault::Data,
                         [&] {
                           read(folder, {records({{20, 5}})}, CifarKind::Hundred, 1);
                         }),
              HasSubstr("coarse label 20"));
  EXPECT_THAT(message_of(Fault::Data,
                         [&] {
                           read(folder, {records({{1, 100}})}, CifarKind::Hundred, 1);
                         }),
              HasSubstr("fine label 100"));
}

TEST(Cifar, UnpacksNoMoreThanItsRecords) {
  const Bytes zeros = gzipped(Bytes(20'000'000, 0));
  EXPECT_THAT(message_of(Fault::Data, [&] { read(TempFolder(), {zeros}, CifarKind::Ten, 2); }),
              Not(HasSubstr("found 20000000")));
}

}  // namespace
}  // namespace engram
