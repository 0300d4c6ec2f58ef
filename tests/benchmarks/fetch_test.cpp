#include "benchmarks/fetch.h"

#include <archive.h>
#include <archive_entry.h>

#include "benchmarks/http.h"
#include "tests/benchmarks/http_server.h"
#include "utils/digest.h"

namespace engram {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;

/// Bytes that do not compress well, so that a .gz can be cut in the middle.
Bytes noise(std::size_t size, std::uint32_t seed) {
  Bytes bytes(size);
  for (auto& b : bytes)
    b = static_cast<std::uint8_t>((seed = seed * 1664525 + 1013904223) >> 24);
  return bytes;
}

Bytes tar_gz(const std::vector<std::pair<std::string, Bytes>>& entries) {
  TempFolder folder;
  const fs::path file = folder / "x.tar.gz";
  struct archive* out = archive_write_new();
  archive_write_add_filter_gzip(out);
  archive_write_set_format_pax_restricted(out);
  archive_write_open_filename(out, file.c_str());
  for (const auto& [name, content] : entries) {
    archive_entry* entry = archive_entry_new();
    archive_entry_set_pathname(entry, name.c_str());
    archive_entry_set_size(entry, static_cast<la_int64_t>(content.size()));
    archive_entry_set_filetype(entry, AE_IFREG);
    archive_entry_set_perm(entry, 0644);
    archive_write_header(out, entry);
    archive_write_data(out, content.data(), content.size());
    archive_entry_free(entry);
  }
  archive_write_close(out);
  archive_write_free(out);
  return read_bytes(file);
}

class Fetch : public testing::Test {
 protected:
  Fetch() {
    entry_.name = "small";
    entry_.format = DataFormat::Idx;
    entry_.folders = kFolders;
    entry_.download.max_bytes = 1'000'000;
    entry_.files = files_;
    for (std::size_t i = 0; i < 2; ++i) {
      digest_[i] = sha256(content_[i]);
      files_[i] = {kNames[i], content_[i].size(), digest_[i], ""};
      server_.put("/small/" + std::string(kNames[i]) + ".gz", gzipped(content_[i]));
    }
    options_.mirror = server_.address();
  }
  void serve_archive(const Bytes& archive) {
    entry_.download.archive = true;
    entry_.download.archive_name = "small.tar.gz";
    server_.put("/small/small.tar.gz", archive);
  }
  fs::path fetch() { return fetch_data(entry_, folder_.path(), options_); }
  fs::path place(const std::string& name) const { return folder_.path() / "small" / name; }
  std::size_t files_there() const {
    std::size_t n = 0;
    for (const auto& file : fs::recursive_directory_iterator(folder_.path()))
      n += file.is_regular_file();
    return n;
  }

  static constexpr std::array<std::string_view, 1> kFolders{"small"};
  static constexpr std::array<std::string_view, 2> kNames{"a.bin", "b.bin"};
  const std::array<Bytes, 2> content_{noise(50'000, 1), noise(20'000, 2)};
  std::array<std::string, 2> digest_;
  std::array<DataFile, 2> files_;
  DatasetEntry entry_;
  HttpServer server_;
  TempFolder folder_;
  FetchOptions options_;
};

TEST_F(Fetch, DownloadsChecksAndUnpacksEveryFile) {
  std::uint64_t last = 0;
  options_.progress = [&](std::string_view, std::uint64_t done, std::uint64_t) { last = done; };
  EXPECT_EQ(fetch(), folder_ / "small");
  EXPECT_EQ(read_bytes(place("a.bin")), content_[0]);
  EXPECT_EQ(read_bytes(place("b.bin")), content_[1]);
  EXPECT_EQ(files_there(), 2u);
  EXPECT_GT(last, 20'000u);
  EXPECT_EQ(verify_data(entry_, {{folder_.path()}}).proof, Proof::Content);
}

TEST_F(Fetch, KeepsWhatIsThereAndRight) {
  write_bytes(place("a.bin"), content_[0]);
  fetch();
  ASSERT_EQ(server_.requests().size(), 1u);
  EXPECT_EQ(server_.requests()[0].path, "/small/b.bin.gz");
}

TEST_F(Fetch, SetsAWrongFileAsideAndReplacesIt) {
  write_bytes(place("a.bin"), {1, 2, 3});
  fetch();
  EXPECT_EQ(read_bytes(place("a.bin")), content_[0]);
  EXPECT_EQ(read_bytes(place("a.bin.wrong")), (Bytes{1, 2, 3}));
  write_bytes(place("a.bin"), {4});
  fetch();
  EXPECT_EQ(read_bytes(place("a.bin.wrong")), (Bytes{1, 2, 3}));  // whoever put it there wants it
  EXPECT_EQ(read_bytes(place("a.bin.wrong.2")), (Bytes{4}));
}

TEST_F(Fetch, ResumesAPart) {
  Bytes part = gzipped(content_[0]);
  part.resize(10'000);
  write_bytes(place("a.bin.gz.part"), part);
  fetch();
  EXPECT_EQ(server_.requests()[0].begin, 10'000);
  EXPECT_EQ(read_bytes(place("a.bin")), content_[0]);
}

TEST_F(Fetch, TakesAnInterruptedTransferUpAgain) {
  server_.break_off_once_after(7'000);
  fetch();
  ASSERT_EQ(server_.requests().size(), 3u);
  EXPECT_EQ(server_.requests()[1].begin, 7'000);
  EXPECT_EQ(read_bytes(place("a.bin")), content_[0]);
}

TEST_F(Fetch, StartsAgainWhenTheServerHasNoRanges) {
  server_.support_ranges(false);
  Bytes part = gzipped(content_[0]);
  part.resize(10'000);
  write_bytes(place("a.bin.gz.part"), part);
  fetch();
  EXPECT_EQ(read_bytes(place("a.bin")), content_[0]);
}

TEST_F(Fetch, UsesAPartThatIsCompleteAlready) {
  write_bytes(place("a.bin.gz.part"), gzipped(content_[0]));
  fetch();
  EXPECT_EQ(read_bytes(place("a.bin")), content_[0]);
}

TEST_F(Fetch, DropsAPartOfAnotherVersion) {
  write_bytes(place("a.bin.gz.part"), noise(12'000, 9));  // continued, then found wrong
  write_bytes(place("b.bin.gz.part"), noise(90'000, 9));  // longer than the file
  fetch();
  EXPECT_EQ(read_bytes(place("a.bin")), content_[0]);
  EXPECT_EQ(read_bytes(place("b.bin")), content_[1]);
}

TEST_F(Fetch, RefusesAWrongDigestAndInstallsNothing) {
  Bytes other = content_[0];
  other[100] ^= 1;
  server_.put("/small/a.bin.gz", gzipped(other));
  EXPECT_THAT(
      message_of(Fault::Data, [&] { fetch(); }),
      AllOf(HasSubstr("nothing was installed"), HasSubstr(digest_[0]), HasSubstr(sha256(other))));
  EXPECT_EQ(files_there(), 0u);
}

TEST_F(Fetch, RefusesAFileThatIsTooLarge) {
  entry_.download.max_bytes = 30'000;
  EXPECT_THAT(message_of(Fault::Data, [&] { fetch(); }), HasSubstr("30000 bytes"));
  EXPECT_EQ(files_there(), 0u);
}

TEST_F(Fetch, KeepsTheGzWhenOnlyItsDigestIsKnown) {
  const Bytes published = gzipped(content_[0]);
  const std::string digest = sha256(published);
  files_[0].sha256 = "";
  files_[0].wrapper_sha256 = digest;
  fetch();
  EXPECT_EQ(read_bytes(place("a.bin.gz")), published);
  EXPECT_EQ(verify_data(entry_, {{folder_.path()}}).proof, Proof::Wrapper);
  fs::remove(place("a.bin.gz"));
  files_[0].wrapper_sha256 = digest_[1];
  EXPECT_THAT(message_of(Fault::Data, [&] { fetch(); }), HasSubstr(digest_[1]));
}

TEST_F(Fetch, SaysHowToGetItByHandWhenTheServerIsGone) {
  {
    HttpServer gone;
    options_.mirror = gone.address();
  }
  entry_.debian_package = "dataset-small";
  EXPECT_THAT(message_of(Fault::MissingInput, [&] { fetch(); }),
              AllOf(HasSubstr("a.bin.gz is missing"),
                    HasSubstr(options_.mirror + "/small/a.bin.gz"), HasSubstr("by hand"),
                    HasSubstr((folder_ / "small").string()), HasSubstr("dataset-small")));
  EXPECT_EQ(files_there(), 0u);
}

TEST_F(Fetch, AnErrorPageIsNotTheFile) {
  entry_.name = "elsewhere";
  EXPECT_THAT(message_of(Fault::MissingInput, [&] { fetch(); }), HasSubstr("answered 404"));
  EXPECT_EQ(files_there(), 0u);
}

TEST_F(Fetch, FollowsRedirectsToHttpsOnly) {
  server_.redirect_to(server_.address() + "/small/a.bin.gz");
  message_of(Fault::MissingInput, [&] { fetch(); });
  EXPECT_EQ(server_.requests().size(), 1u);
}

TEST_F(Fetch, TakesTheMirrorOfTheEnvironment) {
  const WithVariable mirror("ENGRAM_MIRROR", server_.address() + "/");
  options_.mirror = "";
  fetch();
  EXPECT_EQ(files_there(), 2u);
}

TEST_F(Fetch, UnpacksAnArchive) {
  const Bytes archive = tar_gz(
      {{"small/readme.txt", {1}}, {"small/a.bin", content_[0]}, {"small/b.bin", content_[1]}});
  const std::string digest = sha256(archive);
  entry_.download.archive_sha256 = digest;
  serve_archive(archive);
  fetch();
  EXPECT_EQ(read_bytes(place("b.bin")), content_[1]);
  EXPECT_EQ(files_there(), 2u);
  fetch();
  EXPECT_EQ(server_.requests().size(), 1u);
}

TEST_F(Fetch, AnArchiveCannotWriteOutsideItsFolder) {
  serve_archive(tar_gz({{"../a.bin", {6, 6, 6}},
                        {"small/../../b.bin", {6, 6, 6}},
                        {"/tmp/engram_evil.bin", {6, 6, 6}},
                        {"../../evil.bin", {6, 6, 6}},
                        {"small/a.bin", content_[0]},
                        {"small/b.bin", content_[1]}}));
  fetch();
  EXPECT_EQ(read_bytes(place("a.bin")), content_[0]);
  EXPECT_EQ(files_there(), 2u);
  EXPECT_FALSE(fs::exists(folder_ / "a.bin"));
  EXPECT_FALSE(fs::exists(folder_.path().parent_path() / "evil.bin"));
  EXPECT_FALSE(fs::exists("/tmp/engram_evil.bin"));
}

TEST_F(Fetch, AWrongArchiveInstallsNothing) {
  Bytes other = content_[1];
  other[0] ^= 1;
  for (const Bytes& archive :
       {tar_gz({{"s/a.bin", content_[0]}, {"s/b.bin", other}}),             // wrong content
        tar_gz({{"s/a.bin", content_[0]}}),                                 // one missing
        tar_gz({{"s/a.bin", content_[0]}, {"s/b.bin", noise(20'001, 2)}}),  // too long
        noise(5'000, 3)}) {                                                 // no archive at all
    serve_archive(archive);
    EXPECT_THAT(message_of(Fault::Data, [&] { fetch(); }), HasSubstr("nothing was installed"));
    EXPECT_EQ(files_there(), 0u);
  }
}

TEST(FetchAddress, OnlyHttpsOrThisMachine) {
  EXPECT_TRUE(is_allowed_address("https://example.org/x"));
  EXPECT_TRUE(is_allowed_address("http://127.0.0.1:8000/x"));
  EXPECT_TRUE(is_allowed_address("http://127.0.0.1/x"));
  for (const char* bad :
       {"http://example.org/x", "http://127.0.0.1.example.org/", "ftp://x/",
        "http://127.0.0.1:80@example.org/", "file:///etc/passwd", "http://127.0.0.12/"})
    EXPECT_FALSE(is_allowed_address(bad)) << bad;
}

TEST(FetchAddress, AnotherMirrorIsRefused) {
  TempFolder folder;
  FetchOptions options;
  options.mirror = "http://example.org";
  EXPECT_THAT(message_of(Fault::Config,
                         [&] { fetch_data(dataset_entry("mnist"), folder.path(), options); }),
              HasSubstr("neither https://"));
}

}  // namespace
}  // namespace engram
