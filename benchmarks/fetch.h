// `engram data list | verify | fetch`. A fetched file is checked before it is renamed into place,
// so that a wrong or half file never gets installed. Only HTTPS, except a mirror on this machine.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "benchmarks/catalog.h"

namespace engram {

struct DataStatus {
  std::string name, summary;
  std::optional<std::filesystem::path> folder;  ///< where it was found
  Proof proof = Proof::Missing;                 ///< as far as was checked
  std::vector<std::string> notes;               ///< one line per file, for people
};

/// Every data set of the table. `check_digests` also reads every file found (a second or two);
/// a file that is wrong is then told in `notes`, not thrown.
std::vector<DataStatus> list_data(const DataSearch&, bool check_digests = false);

/// Checks the size and digest of every file. Throws Error(MissingInput) when the data set is not
/// there, and Error(Data) naming file, expected and found when one differs.
DataStatus verify_data(const DatasetEntry&, const DataSearch&);

struct FetchOptions {
  /// Replaces the table's mirrors: an https:// folder, or http://127.0.0.1 for tests and local
  /// caches, that holds one folder per data set: MIRROR/mnist/train-images-idx3-ubyte.gz. Empty:
  /// $ENGRAM_MIRROR, and the table's mirrors when that is not set either.
  std::string mirror;
  /// Called now and then with the bytes so far and the expected total (0: unknown).
  std::function<void(std::string_view file, std::uint64_t done, std::uint64_t total)> progress;
  int connect_seconds = 20;  ///< give up on a mirror that does not answer
  int stall_seconds = 60;    ///< give up on a transfer that has come to a halt
};

/// Downloads a data set into `root`/<its folder>, resuming `.part` files of an earlier attempt, and
/// returns that folder. Files that are there and correct are kept. Throws Error(Data) when what was
/// downloaded is not what was expected (nothing is installed), Error(MissingInput) when no mirror
/// could be reached (with the addresses to get it by hand), Error(CannotWrite) or Error(Io) when
/// it cannot be stored.
std::filesystem::path fetch_data(const DatasetEntry&, const std::filesystem::path& root,
                                 const FetchOptions& options = {});

/// The folder `fetch` writes to when nobody says: --data, the first of $ENGRAM_DATA, or ./data.
std::filesystem::path fetch_root(std::optional<std::filesystem::path> from_command_line);

}  // namespace engram
