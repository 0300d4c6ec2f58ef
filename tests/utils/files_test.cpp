#include "utils/files.h"

#include <cstring>
#include <stdexcept>
#include <string>
#include <sys/stat.h>
#include <unistd.h>

#include <gtest/gtest.h>
#include <zlib.h>

#include "tests/utils/error_of.h"
#include "tests/utils/full_disk.h"
#include "tests/utils/temp_folder.h"
#include "utils/error.h"

namespace engram {
namespace {
namespace fs = std::filesystem;

std::string as_text(const std::vector<std::uint8_t>& bytes) {
  return {bytes.begin(), bytes.end()};
}

std::string gzipped(const std::string& text) {
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string out(deflateBound(&stream, text.size()) + 64, '\0');
  std::string in = text;
  stream.next_in = reinterpret_cast<Bytef*>(in.data());
  stream.avail_in = static_cast<uInt>(in.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

std::string noise(std::size_t size) {
  std::string text(size, '\0');
  std::uint32_t state = 1;
  for (char& c : text)
    c = static_cast<char>((state = state * 1664525u + 1013904223u) >> 24);
  return text;
}

TEST(ReadFile, GivesPlainContentUnchanged) {
  const TempFolder folder;
  for (const std::string& content : {std::string(), std::string("x"), std::string("\x1f"),
                                     std::string("a\0b", 3), noise(3'000'000)})
    EXPECT_EQ(as_text(read_file(folder.write("plain", content), 4'000'000)), content);
}

TEST(ReadFile, UnzipsByContentAndNotByName) {
  const TempFolder folder;
  const std::string content = noise(2'500'000);
  EXPECT_EQ(as_text(read_file(folder.write("images.idx", gzipped(content)), content.size())),
            content);
  EXPECT_EQ(as_text(read_file(folder.write("empty.gz", gzipped("")), 0)), "");
  EXPECT_EQ(as_text(read_file(folder.write("plain.gz", "not zipped"), 100)), "not zipped");
}

TEST(ReadFile, ReadsAllMembersOfAConcatenatedGzip) {
  const TempFolder folder;
  EXPECT_EQ(as_text(read_file(folder.write("two.gz", gzipped("one") + gzipped("two")), 100)),
            "onetwo");
}

TEST(ReadFile, NoticesAGzipCutAtAnyByte) {
  const TempFolder folder;
  const std::string whole = gzipped(noise(300));
  for (std::size_t length = 2; length < whole.size(); ++length) {
    const auto file = folder.write("cut.gz", whole.substr(0, length));
    ASSERT_EQ(fault_of([&] { read_file(file, 1000); }, "cut.gz"), Fault::Data) << length;
  }
}

TEST(ReadFile, NoticesDamageInsideAGzip) {
  const TempFolder folder;
  const std::string whole = gzipped(noise(300));
  for (const std::size_t at : {whole.size() / 2, whole.size() - 6, whole.size() - 2}) {
    std::string damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x10);
    const auto file = folder.write("damaged.gz", damaged);
    EXPECT_EQ(fault_of([&] { read_file(file, 1000); }, "damaged.gz"), Fault::Data) << at;
  }
}

TEST(ReadFile, RefusesMoreThanTheExpectedSize) {
  const TempFolder folder;
  const auto bomb = folder.write("bomb.gz", gzipped(std::string(50'000'000, 'a')));
  EXPECT_LT(fs::file_size(bomb), 100'000u);
  EXPECT_EQ(fault_of([&] { read_file(bomb, 1'000'000); }, "1000000 bytes"), Fault::Data);
  const auto plain = folder.write("plain", "12345");
  EXPECT_EQ(fault_of([&] { read_file(plain, 4); }, "plain"), Fault::Data);
  EXPECT_EQ(read_file(plain, 5).size(), 5u);
}

TEST(ReadFile, TellsMissingFilesFromUnreadableOnes) {
  const TempFolder folder;
  EXPECT_EQ(fault_of([&] { read_file(folder / "none", 9); }, "none"), Fault::MissingInput);
  const auto file = folder.write("file", "x");
  EXPECT_EQ(fault_of([&] { read_file(file / "below", 9); }, "below"), Fault::MissingInput);
  EXPECT_EQ(fault_of([&] { read_file(folder.path(), 9); }, "is a folder"), Fault::Data);
  fs::create_symlink("loop", folder / "loop");
  EXPECT_EQ(fault_of([&] { read_file(folder / "loop", 9); }, "cannot read"), Fault::Io);
}

TEST(SaveText, CreatesFoldersAndLeavesNothingElse) {
  const TempFolder folder;
  const auto file = folder / "a/b/c.txt";
  save_text(file, "hello\n");
  EXPECT_EQ(TempFolder::read(file), "hello\n");
  save_text(file, "");
  EXPECT_EQ(TempFolder::read(file), "");
  EXPECT_EQ(std::distance(fs::directory_iterator(file.parent_path()), {}), 1);
}

TEST(SaveText, WritesIntoTheCurrentFolderWhenNoneIsNamed) {
  const TempFolder folder;
  const auto before = fs::current_path();
  fs::current_path(folder.path());
  save_text("bare.txt", "x");
  fs::current_path(before);
  EXPECT_EQ(TempFolder::read(folder / "bare.txt"), "x");
}

TEST(SaveAtomically, KeepsTheOldFileUntilTheNewOneIsComplete) {
  const TempFolder folder;
  const auto file = folder.write("result", "old");
  save_atomically(file, [&](const fs::path& temporary) {
    EXPECT_EQ(temporary.parent_path(), file.parent_path());
    EXPECT_EQ(temporary.filename().string(), "result.tmp." + std::to_string(::getpid()));
    std::ofstream(temporary) << "new";
    EXPECT_EQ(TempFolder::read(file), "old");
  });
  EXPECT_EQ(TempFolder::read(file), "new");
  EXPECT_EQ(folder.entries(), 1u);
}

TEST(SaveAtomically, RemovesTheTemporaryWhenFillingFails) {
  const TempFolder folder;
  const auto file = folder.write("result", "old");
  EXPECT_THROW(save_atomically(file,
                               [](const fs::path& temporary) {
                                 std::ofstream(temporary) << "half";
                                 throw std::logic_error("stop");
                               }),
               std::logic_error);
  EXPECT_EQ(TempFolder::read(file), "old");
  EXPECT_EQ(folder.entries(), 1u);
}

TEST(SaveAtomically, ComplainsWhenNothingWasWritten) {
  const TempFolder folder;
  EXPECT_EQ(fault_of([&] { save_atomically(folder / "x", [](const fs::path&) {}); }, "x"),
            Fault::CannotWrite);
}

TEST(SaveAtomically, SaysWhenAFolderCannotBeCreatedOrReplaced) {
  const TempFolder folder;
  folder.write("file", "x");
  EXPECT_EQ(fault_of([&] { save_text(folder / "file/below/x", "y"); }, "cannot write"),
            Fault::CannotWrite);
  fs::create_directories(folder / "taken/inside");
  EXPECT_EQ(fault_of([&] { save_text(folder / "taken", "y"); }, "taken"), Fault::CannotWrite);
  EXPECT_EQ(folder.entries(), 2u);
}

TEST(SaveAtomically, SaysWhenAFolderMayNotBeWritten) {
  const TempFolder folder;
  fs::create_directory(folder / "closed");
  fs::permissions(folder / "closed", fs::perms::owner_read | fs::perms::owner_exec);
  // Root may write everywhere, so for a moment it is somebody else, who may enter the folder.
  const bool is_root = ::geteuid() == 0;
  constexpr uid_t kNobody = 65534;
  if (is_root) {
    fs::permissions(folder.path(), fs::perms::others_exec, fs::perm_options::add);
    fs::permissions(folder / "closed", fs::perms::others_exec, fs::perm_options::add);
    ASSERT_EQ(::seteuid(kNobody), 0);
  }
  EXPECT_EQ(fault_of([&] { save_text(folder / "closed/x", "y"); }, "closed"), Fault::CannotWrite);
  ASSERT_EQ(::seteuid(is_root ? 0 : ::geteuid()), 0);
  fs::permissions(folder / "closed", fs::perms::owner_all);
}

TEST(SaveAtomically, ReportsAWriteThatFailsHalfWayAndKeepsTheOldFile) {
  const TempFolder folder;
  const auto file = folder.write("result", "old");
  const Fault fault = [&] {
    const FullDisk full;
    return fault_of([&] { save_text(file, std::string(100'000, 'x')); }, "result");
  }();
  EXPECT_EQ(fault, Fault::Io);
  EXPECT_EQ(TempFolder::read(file), "old");
  EXPECT_EQ(folder.entries(), 1u);
}

}  // namespace
}  // namespace engram
