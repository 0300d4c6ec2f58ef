// zlib's gz functions read plain and gzip files alike; writing goes to a temporary name first,
// reaches the disk, and only then takes the real name (the way of databases: LevelDB, SQLite).
#include "utils/files.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <memory>
#include <string>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>
#include <zlib.h>

#include "utils/descriptor.h"
#include "utils/error.h"

namespace engram {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t kChunk = std::size_t{1} << 20;

struct GzClose {
  void operator()(gzFile file) const { gzclose_r(file); }
};
using GzReader = std::unique_ptr<gzFile_s, GzClose>;

std::string quoted(const fs::path& file) {
  return "'" + file.string() + "'";
}

[[noreturn]] void throw_unreadable(const fs::path& file, int why) {
  if (why == ENOENT || why == ENOTDIR)
    throw Error(Fault::MissingInput, "there is no file " + quoted(file));
  throw Error(Fault::Io, "cannot read " + quoted(file) + ": " + std::strerror(why));
}

[[noreturn]] void throw_unwritable(const fs::path& file, int why) {
  const std::string text = ": " + std::string(std::strerror(why));
  if (why == ENOSPC || why == EDQUOT)
    throw Error(Fault::Io, "disk full while writing " + quoted(file) + text);
  if (why == EIO || why == EFBIG)
    throw Error(Fault::Io, "writing " + quoted(file) + " failed half way" + text);
  throw Error(Fault::CannotWrite, "cannot write " + quoted(file) + text);
}

fs::path folder_of(const fs::path& file) {
  return file.has_parent_path() ? file.parent_path() : fs::path(".");
}

/// A library that fails to fill a file often hides why; a disk without room tells.
bool is_full(const fs::path& folder) {
  constexpr std::uintmax_t kHardlyAnything = 64 * 1024;
  std::error_code ignored;
  return fs::space(folder, ignored).available < kHardlyAnything;
}

void sync_file(const fs::path& temporary, const fs::path& file) {
  Descriptor opened = open_descriptor(temporary, O_RDONLY);
  if (opened.get() < 0) throw_unwritable(file, errno);
  if (::fsync(opened.get()) != 0) throw_unwritable(file, errno);
  // Network file systems may report a full disk only here.
  if (opened.close() != 0 && errno != EINTR) throw_unwritable(file, errno);
}

/// Makes the new name itself survive a power cut. Some file systems cannot sync a folder and some
/// folders may be written but not read: neither makes the file less complete.
void sync_folder(const fs::path& folder, const fs::path& file) {
  const Descriptor opened = open_descriptor(folder, O_RDONLY | O_DIRECTORY);
  if (opened.get() < 0) return;
  if (::fsync(opened.get()) != 0 && (errno == EIO || errno == ENOSPC || errno == EDQUOT))
    throw_unwritable(file, errno);
}

/// Removes the temporary file on every way out; after the renaming there is none.
struct Temporary {
  fs::path path;
  ~Temporary() { ::unlink(path.c_str()); }
};

}  // namespace

std::vector<std::uint8_t> read_file(const fs::path& file, std::size_t max_bytes) {
  Descriptor opened = open_descriptor(file, O_RDONLY);
  if (opened.get() < 0) throw_unreadable(file, errno);
  struct stat info;
  if (::fstat(opened.get(), &info) != 0) throw_unreadable(file, errno);
  if (S_ISDIR(info.st_mode)) throw Error(Fault::Data, quoted(file) + " is a folder, not a file");

  const GzReader reader(gzdopen(opened.get(), "rb"));
  if (!reader) throw Error(Fault::Io, "cannot read " + quoted(file) + ": zlib is out of memory");
  opened.release();  // the reader closes it
  gzbuffer(reader.get(), 256 * 1024);

  std::vector<std::uint8_t> content;
  content.reserve(std::min(static_cast<std::size_t>(info.st_size), max_bytes));
  std::vector<std::uint8_t> chunk(kChunk);
  for (;;) {
    errno = 0;
    const int got = gzread(reader.get(), chunk.data(), static_cast<unsigned>(chunk.size()));
    if (got > 0) {
      if (static_cast<std::size_t>(got) > max_bytes - content.size())
        throw Error(Fault::Data, fmt::format("{} holds more than the {} bytes expected of it",
                                             quoted(file), max_bytes));
      content.insert(content.end(), chunk.begin(), chunk.begin() + got);
    }
    if (got == static_cast<int>(chunk.size())) continue;
    // A short read is the end of the file or a failure; gzread itself does not tell them apart.
    const int system_error = errno;
    int code = Z_OK;
    const char* const text = gzerror(reader.get(), &code);
    if (code == Z_OK || code == Z_STREAM_END) return content;
    if (code == Z_ERRNO) throw_unreadable(file, system_error);
    if (code == Z_BUF_ERROR)
      throw Error(Fault::Data, quoted(file) + " ends too early: its gzip data is truncated");
    throw Error(Fault::Data, quoted(file) + " is not valid gzip data: " + text);
  }
}

void save_atomically(const fs::path& file, const std::function<void(const fs::path&)>& fill) {
  const fs::path folder = folder_of(file);
  std::error_code failure;
  fs::create_directories(folder, failure);
  if (failure) throw_unwritable(file, failure.value());
  // Asked before, because the library behind `fill` may not say why it cannot create a file.
  if (::access(folder.c_str(), W_OK | X_OK) != 0) throw_unwritable(file, errno);

  Temporary temporary{file};
  temporary.path += ".tmp." + std::to_string(::getpid());
  try {
    fill(temporary.path);
  } catch (const std::exception& e) {
    const auto* const known = dynamic_cast<const Error*>(&e);
    if ((known && known->fault() == Fault::Io) || !is_full(folder)) throw;
    throw Error(Fault::Io, "disk full while writing " + quoted(file) + ": " + e.what());
  }
  sync_file(temporary.path, file);
  if (::rename(temporary.path.c_str(), file.c_str()) != 0) throw_unwritable(file, errno);
  sync_folder(folder, file);
}

void save_text(const fs::path& file, std::string_view text) {
  save_atomically(file, [&](const fs::path& temporary) {
    Descriptor out = open_descriptor(temporary, O_WRONLY | O_CREAT | O_TRUNC);
    if (out.get() < 0) throw_unwritable(file, errno);
    while (!text.empty()) {
      const ssize_t written = ::write(out.get(), text.data(), text.size());
      if (written < 0 && errno != EINTR) throw_unwritable(file, errno);
      if (written > 0) text.remove_prefix(static_cast<std::size_t>(written));
    }
    if (out.close() != 0 && errno != EINTR) throw_unwritable(file, errno);
  });
}

}  // namespace engram
