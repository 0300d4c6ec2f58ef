#include "benchmarks/catalog.h"

#include <set>

#include "benchmarks/fetch.h"
#include "tests/benchmarks/helpers.h"
#include "utils/digest.h"

namespace engram {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

/// Two data sets of the same file names and sizes, like MNIST and Fashion-MNIST.
class TwinSets : public testing::Test {
 protected:
  TwinSets() {
    for (std::size_t set = 0; set < 2; ++set) {
      content_[set] = {idx_images(3, 2, 2), idx_labels({0, 1, static_cast<std::uint8_t>(set)}),
                       idx_images(2, 2, 2), idx_labels({1, static_cast<std::uint8_t>(set)})};
      for (std::size_t i = 0; i < 4; ++i) {
        digests_[set][i] = sha256(content_[set][i]);
        files_[set][i] = {kNames[i], content_[set][i].size(), digests_[set][i], ""};
      }
      entries_[set].name = set == 0 ? "one" : "two";
      entries_[set].format = DataFormat::Idx;
      entries_[set].classes = 2;
      entries_[set].shape = {2, 2, 1};
      entries_[set].train_count = 3;
      entries_[set].test_count = 2;
      entries_[set].folders = set == 0 ? std::span(kOne) : std::span(kTwo);
      entries_[set].files = files_[set];
    }
  }
  void put(std::size_t set, const std::filesystem::path& folder) const {
    for (std::size_t i = 0; i < 4; ++i)
      write_bytes(folder / std::string(kNames[i]), content_[set][i]);
  }

  static constexpr std::array<std::string_view, 4> kNames{
      "train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte",
      "t10k-labels-idx1-ubyte"};
  static constexpr std::array<std::string_view, 2> kOne{"one", "ONE/raw"}, kTwo{"two", "TWO/raw"};
  TempFolder folder_;
  std::array<std::array<Bytes, 4>, 2> content_;
  std::array<std::array<std::string, 4>, 2> digests_;
  std::array<std::array<DataFile, 4>, 2> files_;
  std::array<DatasetEntry, 2> entries_;
};

TEST(Catalog, KnowsNamesAndTheOlderOne) {
  EXPECT_EQ(dataset_entry("mnist").classes, 10);
  EXPECT_EQ(dataset_entry("cifar").name, "cifar100");
  EXPECT_EQ(dataset_entry("fmnist").name, "fashion");
  EXPECT_THAT(message_of(Fault::Config, [] { dataset_entry("mnits"); }), HasSubstr("'mnist'"));
}

TEST(Catalog, EntriesAreConsistent) {
  std::set<std::string_view> names;
  for (const DatasetEntry& e : datasets()) {
    EXPECT_TRUE(names.insert(e.name).second);
    EXPECT_FALSE(e.summary.empty());
    for (std::size_t c = 0; c < static_cast<std::size_t>(e.shape.channels); ++c) {
      EXPECT_GT(e.standard.mean[c], 0) << e.name;
      EXPECT_LT(e.standard.deviation[c], .5) << e.name;
    }
    if (e.generated()) continue;
    EXPECT_FALSE(e.folders.empty());
    for (const std::string_view mirror : e.download.mirrors) {
      EXPECT_TRUE(mirror.starts_with("https://")) << mirror;
      EXPECT_TRUE(mirror.ends_with("/")) << mirror;
    }
    if (e.format == DataFormat::CelebA) continue;  // lists without published digests
    std::uint64_t bytes = 0;
    for (const DataFile& f : e.files) {
      bytes += f.bytes;
      EXPECT_TRUE(f.sha256.size() == 64 || f.wrapper_sha256.size() == 64) << f.name;
    }
    EXPECT_GE(bytes, static_cast<std::uint64_t>(e.train_count + e.test_count) *
                         static_cast<std::uint64_t>(e.shape.size()));
  }
}

TEST(Catalog, LoadsGeneratedSetsWithoutAnyFolder) {
  const Dataset grey = load_dataset("synthetic", {}), colour = load_dataset("synthetic_rgb", {});
  EXPECT_EQ(grey.shape(), (ImageShape{12, 12, 1}));
  EXPECT_EQ(colour.shape(), (ImageShape{12, 12, 3}));
  EXPECT_EQ(grey.train->size(), 2000u);
}

TEST(Catalog, SaysWhatIsMissingWhereItLookedAndHowToGetIt) {
  TempFolder folder;
  write_bytes(folder / "mnist/train-images-idx3-ubyte", {1});
  const DataSearch search{{folder.path(), folder / "nowhere"}};
  EXPECT_THAT(message_of(Fault::MissingInput, [&] { load_dataset("mnist", search); }),
              AllOf(HasSubstr("data set mnist is not there"),
                    HasSubstr((folder / "mnist").string() + ": no train-labels-idx1-ubyte"),
                    HasSubstr((folder / "nowhere").string() + ": no such folder"),
                    HasSubstr("engram data fetch mnist"), HasSubstr("data/mnist/")));
  EXPECT_THAT(message_of(Fault::MissingInput, [&] { load_dataset("fashion", search); }),
              HasSubstr("dataset-fashion-mnist"));
}

TEST(Catalog, SearchesCommandLineThenVariablesThenFolders) {
  const WithVariable data("ENGRAM_DATA", "/first::/second"), home("ENGRAM_HOME", "/home/engram");
  EXPECT_THAT(data_search("/given").roots, ElementsAre("/given", "/first", "/second", "data",
                                                       "/home/engram/data", "/usr/share/datasets"));
  EXPECT_EQ(fetch_root("/given"), "/given");
  EXPECT_EQ(fetch_root(std::nullopt), "/first");
}

TEST(Catalog, DefaultRootsAreDataAndTheSystem) {
  const WithVariable data("ENGRAM_DATA", ""), home("ENGRAM_HOME", "");
  EXPECT_EQ(data_search().roots.front(), "data");
  EXPECT_EQ(fetch_root(std::nullopt), "data");
}

TEST_F(TwinSets, TheFirstRootWins) {
  put(0, folder_ / "b/ONE/raw");
  put(0, folder_ / "c/one");
  const DataSearch search{{folder_ / "a", folder_ / "b", folder_ / "c"}};
  EXPECT_EQ(find_dataset(entries_[0], search)->folder, folder_ / "b/ONE/raw");
  EXPECT_EQ(load_dataset(entries_[0], search).train->size(), 3u);
}

TEST_F(TwinSets, FilesDirectlyInTheRootAreToldApartByDigest) {
  put(1, folder_.path());
  const DataSearch search{{folder_.path()}};
  EXPECT_TRUE(find_dataset(entries_[1], search));
  EXPECT_EQ(load_dataset(entries_[1], search).test->labels, (std::vector<Label>{1, 1}));
  EXPECT_FALSE(find_dataset(entries_[0], search));
  EXPECT_THAT(message_of(Fault::MissingInput, [&] { load_dataset(entries_[0], search); }),
              HasSubstr("SHA-256 do not show that they are one's"));
}

TEST_F(TwinSets, AFolderWithTheWrongSetIsRefusedWhenLoaded) {
  put(1, folder_ / "one");
  const DataSearch search{{folder_.path()}};
  EXPECT_THAT(message_of(Fault::Data, [&] { load_dataset(entries_[0], search); }),
              AllOf(HasSubstr("train-labels-idx1-ubyte"), HasSubstr("expected SHA-256")));
}

TEST_F(TwinSets, FilesMayBeGzipped) {
  put(0, folder_ / "one");
  const auto plain = folder_ / "one/train-images-idx3-ubyte";
  write_bytes(plain.string() + ".gz", gzipped(content_[0][0]));
  std::filesystem::remove(plain);
  const DataSearch search{{folder_.path()}};
  EXPECT_EQ(load_dataset(entries_[0], search).train->image(2)[3], 11);
  EXPECT_EQ(verify_data(entries_[0], search).proof, Proof::Content);
}

TEST_F(TwinSets, VerifyNamesTheFileThatIsWrong) {
  put(0, folder_ / "one");
  content_[0][2].back() ^= 1;
  write_bytes(folder_ / "one/t10k-images-idx3-ubyte", content_[0][2]);
  const DataSearch search{{folder_.path()}};
  EXPECT_THAT(message_of(Fault::Data, [&] { verify_data(entries_[0], search); }),
              AllOf(HasSubstr("t10k-images-idx3-ubyte"), HasSubstr(digests_[0][2]),
                    Not(HasSubstr("train-images"))));
  message_of(Fault::MissingInput, [&] { verify_data(entries_[1], search); });
}

TEST_F(TwinSets, VerifySaysWhenOnlyTheSizeCouldBeChecked) {
  put(0, folder_ / "one");
  files_[0][1].sha256 = "";
  const DataStatus status = verify_data(entries_[0], {{folder_.path()}});
  EXPECT_EQ(status.proof, Proof::Size);
  EXPECT_THAT(status.notes, testing::Contains(HasSubstr("could not be checked")));
}

TEST(Catalog, ListsEveryDataSetWithItsState) {
  TempFolder folder;
  const auto list = list_data({{folder.path()}});
  ASSERT_EQ(list.size(), datasets().size());
  for (const DataStatus& status : list) {
    const bool generated = status.name.starts_with("synthetic");
    EXPECT_EQ(status.proof, generated ? Proof::Generated : Proof::Missing) << status.name;
  }
}

}  // namespace
}  // namespace engram
