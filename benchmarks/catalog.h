// The table of data sets: what they are, which files they consist of, how to tell that a file is
// the right one, where to look for it and where to get it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "benchmarks/dataset.h"
#include "utils/error.h"

namespace engram {

/// One file of a data set. A digest that nobody has computed or published is left empty.
struct DataFile {
  std::string_view name;            ///< "train-images-idx3-ubyte"; on disk it may also end in .gz
  std::uint64_t bytes = 0;          ///< size of the uncompressed content; 0: not known
  std::string_view sha256;          ///< of the uncompressed content
  std::string_view wrapper_sha256;  ///< of the published .gz, when the content's is not known
};

/// How much of a file or a data set has been proved to be the published one.
enum class Proof {
  Missing,    ///< not found
  Wrong,      ///< found, but it is something else
  Generated,  ///< nothing to check: made by the program
  Present,    ///< found; neither size nor digest are known
  Size,       ///< the size fits, but no digest is known for the file in the form found
  Wrapper,    ///< the published .gz file, bit for bit
  Content,    ///< every byte of the content is the pinned one
};

/// Reads a file and holds it against its entry; returns Present, Size, Wrapper or Content. Throws
/// Error(Data) naming expected and found when it is another file, Error(MissingInput) when it is
/// absent.
Proof check_data_file(const DataFile& expected, const std::filesystem::path& file);

/// SHA-256 of a file as it is on disk, not unpacked.
std::string sha256_of_file(const std::filesystem::path& file);

/// What is downloaded: single .gz files, or one .tar.gz that holds all of them.
struct Download {
  bool archive = false;                       ///< one .tar.gz; otherwise mirror + file name + ".gz"
  std::string_view archive_name;              ///< "cifar-10-binary.tar.gz"
  std::string_view archive_sha256;            ///< of the .tar.gz, or ""
  std::uint64_t max_bytes = 0;                ///< a transfer larger than this is the wrong file
  std::span<const std::string_view> mirrors;  ///< HTTPS folders ending in '/', tried in order
};

enum class DataFormat { Idx, Cifar10, Cifar100, CelebA, Generated };

struct DatasetEntry {
  std::string_view name;                      ///< value of `benchmark` in a .cfg
  std::span<const std::string_view> aliases;  ///< older spellings
  std::string_view summary;
  DataFormat format = DataFormat::Generated;
  int classes = 0;
  ImageShape shape;
  int train_count = 0, test_count = 0, held_out = 0;
  std::span<const std::string_view> attributes;  ///< names of yes-or-no labels instead of classes
  PixelScale standard;                        ///< mean and deviation per channel of [0, 1] pixels
  std::span<const std::string_view> folders;  ///< looked for in every root; the first is `fetch`'s
  std::span<const DataFile> files;            ///< in reading order
  Download download;
  std::string_view debian_package;  ///< or ""
  std::string_view licence;         ///< what is known of the terms
  bool mnist_like = false;          ///< `mnist_mode` applies; file names are shared
  bool generated() const { return format == DataFormat::Generated; }
  /// CelebA may not be passed on, so there is nowhere to fetch it from.
  bool fetchable() const { return format != DataFormat::CelebA; }
};

std::span<const DatasetEntry> datasets();
/// By name or alias; Error(Config) with the nearest name otherwise.
const DatasetEntry& dataset_entry(std::string_view name);

/// Where data sets are looked for, in order.
struct DataSearch {
  std::vector<std::filesystem::path> roots;
};
/// The folder of the command line (`--data`), $ENGRAM_DATA (several, separated by ':'), data/ in
/// the working directory, data/ in $ENGRAM_HOME, and the system's folder of data sets.
DataSearch data_search(std::optional<std::filesystem::path> from_command_line = std::nullopt);

/// Where the files of a data set are.
struct FoundDataset {
  std::filesystem::path folder;
  std::vector<std::filesystem::path> files;  ///< one per DatasetEntry::files, plain or .gz
};
/// The first folder that holds every file. A root that holds the files directly, not in a folder of
/// the data set's name, is taken only when their digests prove which data set they are. Empty when
/// there is none; `tried`, if given, receives one line per place that was looked at.
std::optional<FoundDataset> find_dataset(const DatasetEntry&, const DataSearch&,
                                         std::vector<std::string>* tried = nullptr);

/// Reads a data set. Throws Error(MissingInput) saying what is missing, where it was looked for and
/// how to get it; Error(Data) for files that are not what they should be; Error(Config) for an
/// unknown name.
Dataset load_dataset(std::string_view name, const DataSearch& search);
Dataset load_dataset(const DatasetEntry&, const DataSearch& search);

/// The Error(MissingInput) for a data set that find_dataset() did not find.
Error missing_dataset(const DatasetEntry&, const std::vector<std::string>& tried);

/// "engram data fetch NAME", the Debian package if there is one, or the folder to put files in.
std::string how_to_get(const DatasetEntry&);

}  // namespace engram
