#include "benchmarks/unpack.h"

#include <algorithm>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <archive.h>
#include <archive_entry.h>
#include <fmt/format.h>

#include "utils/digest.h"
#include "utils/error.h"
#include "utils/files.h"

namespace engram {
namespace fs = std::filesystem;
namespace {

struct ArchiveFree {
  void operator()(struct archive* a) const { archive_read_free(a); }
};
using Reader = std::unique_ptr<struct archive, ArchiveFree>;

[[noreturn]] void refuse(const fs::path& archive, const std::string& why) {
  throw Error(Fault::Data, archive.string() + ": " + why);
}

Reader open_archive(const fs::path& archive) {
  Reader reader(archive_read_new());
  if (!reader) throw Error(Fault::Internal, "libarchive cannot be started");
  archive_read_support_format_tar(reader.get());
  archive_read_support_filter_gzip(reader.get());
  if (archive_read_open_filename(reader.get(), archive.c_str(), 1 << 16) != ARCHIVE_OK)
    refuse(archive, archive_error_string(reader.get()));
  return reader;
}

/// The expected file that an entry holds, or null.
const DataFile* wanted(archive_entry* entry, std::span<const DataFile> expected) {
  const char* name = archive_entry_pathname(entry);
  if (!name || archive_entry_filetype(entry) != AE_IFREG || archive_entry_hardlink(entry))
    return nullptr;
  const fs::path path(name);
  if (path.is_absolute() || std::find(path.begin(), path.end(), "..") != path.end()) return nullptr;
  const std::string last = path.filename().string();
  const auto found = std::find_if(expected.begin(), expected.end(),
                                  [&](const DataFile& file) { return file.name == last; });
  return found == expected.end() ? nullptr : &*found;
}

std::vector<std::uint8_t> content(const fs::path& archive, struct archive* reader,
                                  const DataFile& file) {
  std::vector<std::uint8_t> bytes(file.bytes + 1);  // one more shows that it is too long
  std::size_t filled = 0;
  while (filled < bytes.size()) {
    const auto n = archive_read_data(reader, bytes.data() + filled, bytes.size() - filled);
    if (n < 0) refuse(archive, fmt::format("{}: {}", file.name, archive_error_string(reader)));
    if (n == 0) break;
    filled += static_cast<std::size_t>(n);
  }
  if (filled != file.bytes)
    refuse(archive, fmt::format("{} in it: expected {} bytes, found {}", file.name, file.bytes,
                                filled > file.bytes ? "more" : std::to_string(filled)));
  bytes.resize(filled);
  return bytes;
}

void store(const fs::path& part, std::span<const std::uint8_t> bytes) {
  save_text(part, {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

fs::path part_of(const fs::path& folder, std::string_view name) {
  return folder / (std::string(name) + ".part");
}

/// Removes what was unpacked unless everything was.
struct Unpacked {
  explicit Unpacked(const fs::path& where) : folder(where) {}
  Unpacked(const Unpacked&) = delete;
  Unpacked& operator=(const Unpacked&) = delete;
  ~Unpacked() {
    std::error_code ignored;
    for (const std::string_view name : keep ? std::set<std::string_view>() : names)
      fs::remove(part_of(folder, name), ignored);
  }
  const fs::path& folder;
  std::set<std::string_view> names;
  bool keep = false;
};

}  // namespace

void unpack_archive(const fs::path& archive, std::span<const DataFile> expected,
                    const fs::path& folder) {
  const Reader reader = open_archive(archive);
  Unpacked unpacked(folder);
  archive_entry* entry = nullptr;
  for (;;) {
    const int code = archive_read_next_header(reader.get(), &entry);
    if (code == ARCHIVE_EOF) break;
    if (code < ARCHIVE_WARN) refuse(archive, archive_error_string(reader.get()));
    const DataFile* file = wanted(entry, expected);
    if (!file) continue;
    const auto bytes = content(archive, reader.get(), *file);
    if (!file->sha256.empty())
      if (const std::string found = sha256(bytes); found != file->sha256)
        refuse(archive, fmt::format("{} in it: expected SHA-256 {}, found {}", file->name,
                                    file->sha256, found));
    unpacked.names.insert(file->name);
    store(part_of(folder, file->name), bytes);
  }
  for (const DataFile& file : expected)
    if (!unpacked.names.contains(file.name))
      refuse(archive, fmt::format("there is no {} in it", file.name));
  unpacked.keep = true;
}

}  // namespace engram
