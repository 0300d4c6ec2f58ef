#include "utils/h5.h"

#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>
#include <string>

#include <gtest/gtest.h>

#include "tests/utils/error_of.h"
#include "tests/utils/full_disk.h"
#include "tests/utils/temp_folder.h"
#include "utils/error.h"

/// HDF5 1.10.8 leaks a little when it gives up on a damaged file.
extern "C" const char* __lsan_default_suppressions() {  // NOLINT(bugprone-reserved-identifier)
  return "leak:libhdf5";
}

namespace engram {
namespace {

using h5::Group;
using Shape = std::vector<std::size_t>;

Fault read_fault(const std::filesystem::path& file, const std::function<void(const Group&)>& use,
                 const std::string& part) {
  return fault_of([&] { h5::load(file, use); }, part);
}

TEST(H5, GivesBackNumbersOfEveryTypeAndShape) {
  const TempFolder folder;
  const std::vector<double> reals{0.1, -0.0, std::nan(""), 1e308, 5e-324, HUGE_VAL};
  const std::vector<std::int64_t> integers{std::numeric_limits<std::int64_t>::min(), 0,
                                           std::numeric_limits<std::int64_t>::max()};
  h5::save(folder / "a.h5", [&](const Group& root) {
    root.write("reals", reals, {2, 3});
    root.write("floats", std::vector<float>{0.1f, 2.5f}, {2});
    root.write("integers", integers, {3, 1, 1});
    root.write("counts", std::vector<std::uint32_t>{4294967295u}, {1});
    root.write("bytes", std::vector<std::uint8_t>{0, 255}, {1, 2});
    root.write("scalar", std::vector<double>{7}, {});
    root.write("nothing", std::vector<double>{}, {0, 4});
  });
  h5::load(folder / "a.h5", [&](const Group& root) {
    Shape shape;
    const std::vector<double> read = root.read("reals", &shape);
    EXPECT_EQ(shape, (Shape{2, 3}));
    ASSERT_EQ(read.size(), reals.size());
    EXPECT_EQ(std::memcmp(read.data(), reals.data(), sizeof(double) * reals.size()), 0);
    EXPECT_EQ(root.read_floats("floats"), (std::vector<float>{0.1f, 2.5f}));
    EXPECT_EQ(root.read_integers("integers", &shape), integers);
    EXPECT_EQ(shape, (Shape{3, 1, 1}));
    EXPECT_EQ(root.read_integers("counts").front(), 4294967295);
    EXPECT_EQ(root.read("bytes"), (std::vector<double>{0, 255}));
    EXPECT_EQ(root.read("scalar", &shape), (std::vector<double>{7}));
    EXPECT_EQ(shape, Shape{});
    EXPECT_TRUE(root.read("nothing").empty());
    EXPECT_EQ(root.shape("nothing"), (Shape{0, 4}));
  });
}

TEST(H5, TakesOnlyUnsignedBytesForBytes) {
  const TempFolder folder;
  h5::save(folder / "a.h5", [](const Group& root) {
    root.write("bytes", std::vector<std::uint8_t>{0, 200, 255}, {3, 1});
    root.write("signed", std::vector<std::int32_t>{-1, 7}, {2});
    root.write("reals", std::vector<double>{1}, {1});
  });
  h5::load(folder / "a.h5", [](const Group& root) {
    Shape shape;
    EXPECT_EQ(root.read_bytes("bytes", &shape), (std::vector<std::uint8_t>{0, 200, 255}));
    EXPECT_EQ(shape, (Shape{3, 1}));
    EXPECT_EQ(root.read_integers("signed"), (std::vector<std::int64_t>{-1, 7}));
  });
  for (const char* name : {"signed", "reals"})
    EXPECT_EQ(read_fault(
                  folder / "a.h5", [&](const Group& root) { root.read_bytes(name); }, name),
              Fault::Data);
}

TEST(H5, GivesBackTextOfAnyLength) {
  const TempFolder folder;
  const std::string longer(200'000, 'x');
  h5::save(folder / "a.h5", [&](const Group& root) {
    root.attribute("empty", "");
    root.attribute("short", "naïve ✓\n");
    root.attribute("limit", std::string(60'000, 'y'));
    root.attribute("longer", longer);
    root.write_texts("names", std::vector<std::string>{"a", "", "längst"});
    root.write_texts("none", {});
    root.describe("names", "unit", "text");
  });
  h5::load(folder / "a.h5", [&](const Group& root) {
    EXPECT_EQ(root.text_attribute("empty"), "");
    EXPECT_EQ(root.text_attribute("short"), "naïve ✓\n");
    EXPECT_EQ(root.text_attribute("limit").size(), 60'000u);
    EXPECT_EQ(root.text_attribute("longer"), longer);
    EXPECT_TRUE(root.has_attribute("longer"));
    EXPECT_FALSE(root.has_attribute("names"));
    EXPECT_EQ(root.read_texts("names"), (std::vector<std::string>{"a", "", "längst"}));
    EXPECT_TRUE(root.read_texts("none").empty());
    EXPECT_EQ(root.attribute_names(),
              (std::vector<std::string>{"empty", "short", "limit", "longer"}));
  });
}

TEST(H5, KeepsTheOrderOfCreation) {
  const TempFolder folder;
  std::vector<std::string> order;
  for (int i = 0; i < 40; ++i)
    order.push_back("n" + std::to_string(i * 37 % 40));
  h5::save(folder / "a.h5", [&](const Group& root) {
    const Group group = root.create("group");
    for (const std::string& name : order)
      group.attribute(name, std::int64_t{1});
    for (const std::string& name : order)
      group.create(name);
  });
  h5::load(folder / "a.h5", [&](const Group& root) {
    EXPECT_EQ(root.open("group").attribute_names(), order);
    EXPECT_EQ(root.open("group").names(), order);
  });
}

TEST(H5, FollowsPathsThroughGroups) {
  const TempFolder folder;
  h5::save(folder / "a.h5", [](const Group& root) {
    root.create("layers").create("k1").write("usage", std::vector<double>{1, 2}, {2});
  });
  h5::load(folder / "a.h5", [](const Group& root) {
    EXPECT_TRUE(root.has("layers/k1/usage"));
    EXPECT_FALSE(root.has("layers/k2/usage"));
    EXPECT_FALSE(root.has("nowhere/at/all"));
    EXPECT_FALSE(root.has(""));
    EXPECT_EQ(root.read("layers/k1/usage").size(), 2u);
    EXPECT_EQ(root.open("layers/k1").names(), (std::vector<std::string>{"usage"}));
  });
}

TEST(H5, SaysWhatIsMissingAndWhere) {
  const TempFolder folder;
  const auto file = folder / "a.h5";
  h5::save(file, [](const Group& root) {
    root.attribute("number", 0.5);
    root.attribute("text", "x");
    root.write("reals", std::vector<double>{0.5}, {1});
    root.write_texts("texts", std::vector<std::string>{"x"});
  });
  using Use = std::function<void(const Group&)>;
  const std::vector<std::pair<Use, const char*>> complaints{
      {[](const Group& g) { g.open("epochs"); }, "a.h5': there is no group 'epochs'"},
      {[](const Group& g) { g.open("reals"); }, "reals"},
      {[](const Group& g) { g.read("loss"); }, "no data set 'loss'"},
      {[](const Group& g) { g.read("texts"); }, "does not hold numbers"},
      {[](const Group& g) { g.read_integers("reals"); }, "does not hold integers"},
      {[](const Group& g) { g.read_texts("reals"); }, "does not hold text"},
      {[](const Group& g) { g.text_attribute("seed"); }, "attribute 'seed'"},
      {[](const Group& g) { g.integer_attribute("number"); }, "does not hold integers"},
      {[](const Group& g) { g.number_attribute("text"); }, "does not hold numbers"},
      {[](const Group& g) { g.text_attribute("number"); }, "does not hold text"}};
  for (const auto& [use, part] : complaints)
    EXPECT_EQ(read_fault(file, use, part), Fault::Data);
}

TEST(H5, TellsMissingForeignAndTruncatedFilesApart) {
  const TempFolder folder;
  const auto nothing = [](const Group&) {};
  EXPECT_EQ(read_fault(folder / "none.h5", nothing, "none.h5"), Fault::MissingInput);
  EXPECT_EQ(read_fault(folder.path(), nothing, "is not a file"), Fault::Data);
  EXPECT_EQ(read_fault(folder.write("empty.h5", ""), nothing, "not an HDF5 file"), Fault::Data);
  EXPECT_EQ(read_fault(folder.write("text.h5", "accuracy = 1\n"), nothing, "not an HDF5 file"),
            Fault::Data);
  h5::save(folder / "a.h5",
           [](const Group& root) { root.write("x", std::vector<double>(10'000, 0.5), {10'000}); });
  const std::string whole = TempFolder::read(folder / "a.h5");
  const auto cut = folder.write("cut.h5", whole.substr(0, whole.size() / 2));
  EXPECT_EQ(read_fault(cut, nothing, "truncated"), Fault::Data);
}

TEST(H5, NoticesEveryChangedByteOfTheNumbers) {
  const TempFolder folder;
  std::vector<double> values(5000);
  std::iota(values.begin(), values.end(), 0.5);
  h5::save(folder / "a.h5", [&](const Group& root) {
    root.write("few", std::vector<double>(values.begin(), values.begin() + 100), {100});
    root.write("many", values, {5000});
  });
  const std::string whole = TempFolder::read(folder / "a.h5");
  const auto find = [&](double value) {
    return whole.find(std::string(reinterpret_cast<const char*>(&value), sizeof value));
  };
  for (const auto& [name, at] : {std::pair{"few", find(50.5)}, std::pair{"many", find(4000.5)}}) {
    ASSERT_NE(at, std::string::npos);
    std::string damaged = whole;
    damaged[at + 5] = static_cast<char>(damaged[at + 5] ^ 1);
    const auto file = folder.write("damaged.h5", damaged);
    EXPECT_EQ(read_fault(
                  file, [&](const Group& root) { root.read(name); }, name),
              Fault::Data);
  }
}

TEST(H5, WritesTheSameBytesForTheSameContent) {
  const TempFolder folder;
  const auto fill = [](const Group& root) {
    root.attribute("a", "b");
    root.create("g").write("x", std::vector<double>(3000, 0.25), {3000});
  };
  h5::save(folder / "a.h5", fill);
  h5::save(folder / "b.h5", fill);
  EXPECT_EQ(TempFolder::read(folder / "a.h5"), TempFolder::read(folder / "b.h5"));
}

TEST(H5, StoresLargeSetsInSeveralPieces) {
  const TempFolder folder;
  std::vector<float> values(5'000'003);  // 20 MB: two chunks, the second one shorter
  std::iota(values.begin(), values.end(), 1.0f);
  h5::save(folder / "a.h5", [&](const Group& root) { root.write("x", values, {values.size()}); });
  h5::load(folder / "a.h5", [&](const Group& root) { EXPECT_EQ(root.read_floats("x"), values); });
}

TEST(H5, LeavesTheOldFileWhenFillingFails) {
  const TempFolder folder;
  const auto file = folder.write("a.h5", "old");
  EXPECT_EQ(fault_of(
                [&] {
                  h5::save(file, [](const Group& root) {
                    root.create("g");
                    throw Error(Fault::Numerical, "stop");
                  });
                },
                "stop"),
            Fault::Numerical);
  EXPECT_EQ(fault_of([&] { h5::save(file, [](const Group& g) { g.create("x"), g.create("x"); }); },
                     "'x'"),
            Fault::Internal);
  EXPECT_EQ(TempFolder::read(file), "old");
  EXPECT_EQ(folder.entries(), 1u);
}

TEST(H5, ReportsAFullDiskAndKeepsTheOldFile) {
  const TempFolder folder;
  const auto file = folder.write("a.h5", "old");
  const Fault fault = [&] {
    const FullDisk full;
    return fault_of(
        [&] {
          h5::save(file, [](const Group& root) {
            root.write("x", std::vector<double>(10'000, 0.5), {10'000});
          });
        },
        "a.h5");
  }();
  EXPECT_EQ(fault, Fault::Io);
  EXPECT_EQ(TempFolder::read(file), "old");
  EXPECT_EQ(folder.entries(), 1u);
  EXPECT_NO_THROW(h5::save(file, [](const Group& root) { root.attribute("a", 1.0); }));
}

}  // namespace
}  // namespace engram
