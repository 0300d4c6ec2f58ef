// Finding the files of a data set, making sure what they are, and reading them.
#include "benchmarks/catalog.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <numeric>
#include <utility>

#include <fmt/format.h>

#include "benchmarks/celeba.h"
#include "benchmarks/cifar.h"
#include "benchmarks/idx.h"
#include "benchmarks/synthetic.h"
#include "utils/digest.h"
#include "utils/error.h"
#include "utils/files.h"

namespace engram {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view kSystemDatasets = "/usr/share/datasets";  // where Debian installs them

std::vector<fs::path> folders_of_variable(const char* name) {
  std::vector<fs::path> out;
  const char* text = std::getenv(name);
  std::string_view rest = text ? text : "";
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find(':'), rest.size());
    if (end > 0) out.emplace_back(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return out;
}

/// The file under its name or with .gz behind it; empty when there is neither.
fs::path plain_or_gz(const fs::path& folder, std::string_view name) {
  std::error_code ignored;
  for (const char* suffix : {"", ".gz"}) {
    fs::path file = folder / (std::string(name) + suffix);
    if (fs::is_regular_file(file, ignored)) return file;
  }
  return {};
}

/// All files in one folder, or nothing and a line about what is not there.
std::optional<FoundDataset> files_in(const DatasetEntry& entry, const fs::path& folder,
                                     std::string& why_not) {
  std::error_code ignored;
  if (!fs::is_directory(folder, ignored)) {
    why_not = folder.string() + ": no such folder";
    return std::nullopt;
  }
  FoundDataset found{folder, {}};
  for (const DataFile& file : entry.files) {
    found.files.push_back(plain_or_gz(folder, file.name));
    if (!found.files.back().empty()) continue;
    why_not = fmt::format("{}: no {}", folder.string(), file.name);
    return std::nullopt;
  }
  return found;
}

/// True when every file proves to be the data set's own. Small files first: MNIST and the data sets
/// that share its file names already differ in their labels.
bool is_proved(const DatasetEntry& entry, const FoundDataset& found) {
  std::vector<std::size_t> order(entry.files.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return entry.files[a].bytes < entry.files[b].bytes;
  });
  try {
    return std::all_of(order.begin(), order.end(), [&](std::size_t i) {
      return check_data_file(entry.files[i], found.files[i]) >= Proof::Wrapper;
    });
  } catch (const Error&) {
    return false;
  }
}

Dataset read_found(const DatasetEntry& entry, const FoundDataset& found) {
  if (entry.format == DataFormat::CelebA)
    return read_celeba(found.files[0], found.files[1], found.folder, entry.shape);
  std::vector<std::string> digests;
  const std::span<const fs::path> files = found.files;
  Images train, test;
  if (entry.format == DataFormat::Idx) {
    train = read_idx(files[0], files[1], entry.classes, &digests, entry.files[0].bytes + 1);
    test = read_idx(files[2], files[3], entry.classes, &digests, entry.files[2].bytes + 1);
  } else {
    const auto kind = entry.format == DataFormat::Cifar100 ? CifarKind::Hundred : CifarKind::Ten;
    const auto records = static_cast<std::size_t>(entry.train_count) / (files.size() - 1);
    train = read_cifar(files.first(files.size() - 1), kind, records, &digests);
    test = read_cifar(files.last(1), kind, static_cast<std::size_t>(entry.test_count), &digests);
  }
  for (std::size_t i = 0; i < files.size(); ++i)
    if (!entry.files[i].sha256.empty() && digests[i] != entry.files[i].sha256)
      throw Error(Fault::Data,
                  fmt::format("{}: not the file of {} that was published: expected SHA-256 {}, "
                              "found {}",
                              files[i].string(), entry.name, entry.files[i].sha256, digests[i]));
  const auto check = [&](const Images& images, int expected, const char* part) {
    if (images.size() == static_cast<std::size_t>(expected) && images.shape == entry.shape) return;
    throw Error(Fault::Data, fmt::format("{}: expected {} {} images of {}, found {} of {}",
                                         found.folder.string(), expected, part, entry.shape.text(),
                                         images.size(), images.shape.text()));
  };
  check(train, entry.train_count, "training");
  check(test, entry.test_count, "test");

  Dataset out;
  out.name = entry.name;
  out.classes = entry.classes;
  out.train = std::make_shared<const Images>(std::move(train));
  out.test = std::make_shared<const Images>(std::move(test));
  out.sha256 = sha256(fmt::format("{}", fmt::join(digests, "")));
  return out;
}

}  // namespace

const DatasetEntry& dataset_entry(std::string_view name) {
  std::vector<std::string> known;
  for (const DatasetEntry& entry : datasets()) {
    if (entry.name == name ||
        std::find(entry.aliases.begin(), entry.aliases.end(), name) != entry.aliases.end())
      return entry;
    known.emplace_back(entry.name);
    known.insert(known.end(), entry.aliases.begin(), entry.aliases.end());
  }
  throw Error(Fault::Config,
              fmt::format("there is no data set called '{}'{}", name, suggestion(name, known)));
}

std::string sha256_of_file(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) throw Error(Fault::MissingInput, file.string() + ": cannot be opened");
  Sha256 digest;
  std::vector<std::uint8_t> chunk(1 << 20);
  while (in.read(reinterpret_cast<char*>(chunk.data()), static_cast<std::streamsize>(chunk.size())),
         in.gcount() > 0)
    digest.add(std::span(chunk).first(static_cast<std::size_t>(in.gcount())));
  return digest.hex();
}

Proof check_data_file(const DataFile& expected, const fs::path& file) {
  if (expected.bytes == 0) return Proof::Present;
  const std::vector<std::uint8_t> bytes = read_file(file, expected.bytes);
  if (bytes.size() != expected.bytes)
    throw Error(Fault::Data, fmt::format("{}: expected {} bytes of content, found {}",
                                         file.string(), expected.bytes, bytes.size()));
  if (!expected.sha256.empty()) {
    const std::string found = sha256(bytes);
    if (found == expected.sha256) return Proof::Content;
    throw Error(Fault::Data, fmt::format("{}: expected SHA-256 {} of the content, found {}",
                                         file.string(), expected.sha256, found));
  }
  const bool published =
      !expected.wrapper_sha256.empty() && sha256_of_file(file) == expected.wrapper_sha256;
  return published ? Proof::Wrapper : Proof::Size;
}

DataSearch data_search(std::optional<fs::path> from_command_line) {
  DataSearch search;
  const auto add = [&search](const fs::path& root) {
    if (std::find(search.roots.begin(), search.roots.end(), root) == search.roots.end())
      search.roots.push_back(root);
  };
  if (from_command_line) add(*from_command_line);
  for (const fs::path& root : folders_of_variable("ENGRAM_DATA"))
    add(root);
  add("data");
  if (const char* home = std::getenv("ENGRAM_HOME"); home && *home) add(fs::path(home) / "data");
  add(kSystemDatasets);
  return search;
}

fs::path fetch_root(std::optional<fs::path> from_command_line) {
  if (from_command_line) return *from_command_line;
  const auto roots = folders_of_variable("ENGRAM_DATA");
  return roots.empty() ? fs::path("data") : roots.front();
}

std::optional<FoundDataset> find_dataset(const DatasetEntry& entry, const DataSearch& search,
                                         std::vector<std::string>* tried) {
  std::string why_not;
  const auto note = [&](const std::string& line) {
    if (tried) tried->push_back(line);
  };
  for (const fs::path& root : search.roots) {
    std::error_code ignored;
    if (!fs::is_directory(root, ignored)) {
      note(root.string() + ": no such folder");
      continue;
    }
    bool half_there = false;
    for (const std::string_view folder : entry.folders) {
      if (auto found = files_in(entry, root / folder, why_not)) return found;
      if (!fs::is_directory(root / folder, ignored)) continue;
      note(why_not);
      half_there = true;
    }
    if (!half_there)
      note(fmt::format("{}: no folder {}", root.string(), fmt::join(entry.folders, " or ")));
    if (auto found = files_in(entry, root, why_not)) {
      if (is_proved(entry, *found)) return found;
      note(
          fmt::format("{}: holds files of these names, but their SHA-256 do not show that they "
                      "are {}'s; put them into {}",
                      root.string(), entry.name, (root / entry.folders[0]).string()));
    }
  }
  return std::nullopt;
}

std::string how_to_get(const DatasetEntry& entry) {
  if (entry.generated()) return "it is generated: nothing to get";
  std::vector<std::string_view> names;
  for (const DataFile& file : entry.files)
    names.push_back(file.name);
  if (!entry.fetchable())
    return fmt::format(
        "put {}, and the folder img_align_celeba of images, into {}/ (from the "
        "authors' page; the terms forbid to pass it on)",
        fmt::join(names, ", "), (fs::path("data") / entry.folders[0]).string());
  std::string text = fmt::format("engram data fetch {}", entry.name);
  if (!entry.debian_package.empty())
    text += fmt::format("; or install the package {}", entry.debian_package);
  return text + fmt::format("; or put {} (plain or .gz) into {}/", fmt::join(names, ", "),
                            (fs::path("data") / entry.folders[0]).string());
}

Error missing_dataset(const DatasetEntry& entry, const std::vector<std::string>& tried) {
  return {Fault::MissingInput,
          fmt::format("the data set {} is not there. Looked in\n  {}\nTo get it: {}", entry.name,
                      fmt::join(tried, "\n  "), how_to_get(entry))};
}

Dataset load_dataset(const DatasetEntry& entry, const DataSearch& search) {
  if (entry.generated()) {
    const SyntheticSize size{.classes = entry.classes,
                             .shape = entry.shape,
                             .train = entry.train_count,
                             .test = entry.test_count};
    std::string name(entry.name);
    if (entry.attributes.empty()) return make_synthetic(std::move(name), size);
    return make_synthetic_attributes(
        std::move(name), {entry.attributes.begin(), entry.attributes.end()}, size, entry.held_out);
  }
  std::vector<std::string> tried;
  const auto found = find_dataset(entry, search, &tried);
  if (!found) throw missing_dataset(entry, tried);
  return read_found(entry, *found);
}

Dataset load_dataset(std::string_view name, const DataSearch& search) {
  return load_dataset(dataset_entry(name), search);
}

}  // namespace engram
