// Download, check, and only then rename into place.
#include "benchmarks/fetch.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include <fmt/format.h>

#include "benchmarks/http.h"
#include "benchmarks/unpack.h"
#include "utils/digest.h"
#include "utils/error.h"
#include "utils/files.h"

namespace engram {
namespace fs = std::filesystem;
namespace {

/// The addresses of one file, in the order in which they are tried.
std::vector<std::string> addresses(const DatasetEntry& entry, const FetchOptions& options,
                                   const std::string& file) {
  const char* variable = std::getenv("ENGRAM_MIRROR");
  std::string mirror = options.mirror.empty() && variable ? variable : options.mirror;
  std::vector<std::string> urls;
  if (mirror.empty()) {
    for (const std::string_view folder : entry.download.mirrors)
      urls.push_back(std::string(folder) + file);
    return urls;
  }
  if (!is_allowed_address(mirror))
    throw Error(Fault::Config, fmt::format("the mirror {} is neither https:// nor "
                                           "http://127.0.0.1",
                                           mirror));
  if (!mirror.ends_with('/')) mirror += '/';
  return {fmt::format("{}{}/{}", mirror, entry.name, file)};
}

/// `wanted`, or with the first number behind it that nothing is called by yet.
fs::path free_name(const std::string& wanted) {
  std::error_code ignored;
  fs::path name = wanted;
  for (int i = 2; fs::exists(name, ignored); ++i)
    name = fmt::format("{}.{}", wanted, i);
  return name;
}

class Fetch {
 public:
  Fetch(const DatasetEntry& entry, const fs::path& root, const FetchOptions& options)
      : entry_(entry), options_(options), folder_(root / entry.folders[0]) {}

  fs::path run() {
    std::error_code failed;
    fs::create_directories(folder_, failed);
    if (failed)
      throw Error(Fault::CannotWrite, fmt::format("{}: {}", folder_.string(), failed.message()));
    if (!entry_.download.archive) {
      for (const DataFile& file : entry_.files)
        if (!is_there(file)) fetch_single(file);
    } else if (!std::all_of(entry_.files.begin(), entry_.files.end(),
                            [this](const DataFile& file) { return is_there(file); })) {
      fetch_archive();
    }
    return folder_;
  }

 private:
  fs::path place(const DataFile& file, const char* suffix = "") const {
    return folder_ / (std::string(file.name) + suffix);
  }

  /// True when the file is installed and right. A wrong one is set aside, never deleted: whoever
  /// put it there may still want it.
  bool is_there(const DataFile& file) const {
    for (const char* suffix : {"", ".gz"}) {
      const fs::path at = place(file, suffix);
      std::error_code ignored;
      if (!fs::exists(at, ignored)) continue;
      try {
        check_data_file(file, at);
        return true;
      } catch (const Error& e) {
        if (e.fault() != Fault::Data) throw;
        fs::rename(at, free_name(at.string() + ".wrong"), ignored);
      }
    }
    return false;
  }

  /// Downloads `name` to its .part and hands it to `install`, mirror after mirror until one does.
  template <class Install>
  void from_any_mirror(const std::string& name, Install&& install) const {
    const fs::path part = folder_ / (name + ".part");
    const std::vector<std::string> urls = addresses(entry_, options_, name);
    std::vector<std::string> reasons;
    bool wrong_content = false;
    for (const std::string& url : urls) {
      std::error_code ignored;
      const bool resumes = fs::exists(part, ignored);
      for (int attempt = 0; attempt < (resumes ? 2 : 1); ++attempt) {
        try {
          transfer(name, url, part);
          install(part);
          return;
        } catch (const Error& e) {
          if (e.fault() != Fault::Data && e.fault() != Fault::MissingInput) throw;
          reasons.push_back(e.fault() == Fault::Data ? url + ": " + e.what() : e.what());
          if (e.fault() == Fault::MissingInput)
            break;  // keep the part: the next mirror may continue it
          wrong_content = true;
          fs::remove(part, ignored);  // a resumed part may have been another version: once more
        }
      }
    }
    if (wrong_content)
      throw Error(Fault::Data, fmt::format("{}: what was downloaded is not {}; nothing was "
                                           "installed\n  {}",
                                           entry_.name, name, fmt::join(reasons, "\n  ")));
    give_up(name, urls, reasons);
  }

  void transfer(const std::string& name, const std::string& url, const fs::path& part) const {
    Transfer t;
    t.url = url;
    t.part = part;
    t.max_bytes = entry_.download.max_bytes;
    t.connect_seconds = options_.connect_seconds;
    t.stall_seconds = options_.stall_seconds;
    if (options_.progress)
      t.progress = [&](std::uint64_t done, std::uint64_t total) {
        options_.progress(name, done, total);
      };
    download(t);
  }

  [[noreturn]] void give_up(const std::string& name, const std::vector<std::string>& urls,
                            const std::vector<std::string>& reasons) const {
    std::string text = fmt::format(
        "{}: {} is missing and could not be downloaded\n  {}\nTo get it by hand: download {} and "
        "put {} into {}/",
        entry_.name, name, fmt::join(reasons, "\n  "), fmt::join(urls, " or "),
        entry_.download.archive ? "the files in it" : "it (plain or .gz)", folder_.string());
    if (!entry_.debian_package.empty())
      text += fmt::format(", or install the package {}", entry_.debian_package);
    throw Error(Fault::MissingInput, text);
  }

  void fetch_single(const DataFile& file) const {
    from_any_mirror(std::string(file.name) + ".gz", [&](const fs::path& part) {
      const Proof proof = check_data_file(file, part);
      if (proof == Proof::Content) {  // unpacked: read at every start, so worth the space
        const auto bytes = read_file(part, file.bytes);
        save_text(place(file), {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
        fs::remove(part);
        return;
      }
      if (proof == Proof::Size && !file.wrapper_sha256.empty())
        throw Error(Fault::Data, fmt::format("expected a .gz of SHA-256 {}", file.wrapper_sha256));
      // Only the digest of the .gz is known: keep it as it is, so that it can be checked again.
      save_atomically(place(file, ".gz"),
                      [&](const fs::path& temporary) { fs::rename(part, temporary); });
    });
  }

  void fetch_archive() const {
    const std::string name(entry_.download.archive_name);
    from_any_mirror(name, [&](const fs::path& part) {
      if (!entry_.download.archive_sha256.empty()) {
        const std::string found = sha256_of_file(part);
        if (found != entry_.download.archive_sha256)
          throw Error(Fault::Data, fmt::format("expected SHA-256 {}, found {}",
                                               entry_.download.archive_sha256, found));
      }
      unpack_archive(part, entry_.files, folder_);
      for (const DataFile& file : entry_.files)
        fs::rename(place(file, ".part"), place(file));
      fs::remove(part);
    });
  }

  const DatasetEntry& entry_;
  const FetchOptions& options_;
  fs::path folder_;
};

}  // namespace

fs::path fetch_data(const DatasetEntry& entry, const fs::path& root, const FetchOptions& options) {
  if (entry.generated())
    throw Error(Fault::Usage,
                fmt::format("{} is generated: there is nothing to fetch", entry.name));
  if (!entry.fetchable())
    throw Error(Fault::Usage, fmt::format("{} cannot be downloaded by a program; {}", entry.name,
                                          how_to_get(entry)));
  try {
    return Fetch(entry, root, options).run();
  } catch (const fs::filesystem_error& e) {
    throw Error(Fault::Io, e.what());
  }
}

}  // namespace engram
