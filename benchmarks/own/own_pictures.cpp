// A folder of pictures: train/CLASS/*.png and test/CLASS/*.png, or JPEG.
#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <map>
#include <optional>
#include <span>

#include <fmt/format.h>

#include "benchmarks/jpeg.h"
#include "benchmarks/own/own_parts.h"
#include "utils/digest.h"
#include "utils/error.h"
#include "utils/files.h"
#include "utils/parallel.h"
#include "utils/png.h"
#include "utils/rng.h"

namespace engram::own {
namespace {

using Bytes = std::vector<std::uint8_t>;

constexpr std::array<std::array<const char*, 2>, 2> kSides{
    {{"train", "training"}, {"test", "testing"}}};
/// Decoded pictures are kept up to this many bytes; more are decoded whenever they are needed.
constexpr std::size_t kKept = std::size_t{2} << 30;

std::optional<fs::path> side_of(const fs::path& folder, bool test) {
  std::error_code ignored;
  for (const char* name : kSides[test ? 1 : 0])
    if (fs::is_directory(folder / name, ignored)) return folder / name;
  return std::nullopt;
}

/// Entries of a folder that are not hidden, by name.
std::vector<fs::path> entries_of(const fs::path& folder) {
  std::vector<fs::path> entries;
  std::error_code why;
  for (fs::directory_iterator i(folder, why), end; !why && i != end; i.increment(why)) {
    const std::string name = i->path().filename().string();
    if (name.starts_with('.') || name == "Thumbs.db" || name == "desktop.ini") continue;
    entries.push_back(i->path());
  }
  if (why)
    throw Error(Fault::Io, fmt::format("cannot read '{}': {}", folder.string(), why.message()));
  std::sort(entries.begin(), entries.end());
  return entries;
}

std::optional<std::uint64_t> number_in(const std::string& text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// By number if all names are numbers, so that 2 comes before 10; else by their bytes.
void sort_classes(std::vector<std::string>& names) {
  const bool numbers =
      std::ranges::all_of(names, [](const std::string& n) { return number_in(n).has_value(); });
  std::ranges::sort(names, [&](const std::string& a, const std::string& b) {
    return numbers && number_in(a) != number_in(b) ? number_in(a) < number_in(b) : a < b;
  });
}

/// Pictures of one side, in the order of the data set.
struct Listed {
  std::vector<fs::path> files;
  std::vector<std::int64_t> labels;
};

/// Pictures of the classes in an order drawn once and for all: one class after another would make
/// the first n examples a few classes.
Listed list_side(const fs::path& side, const std::vector<std::string>& classes) {
  Listed sorted, out;
  for (std::size_t c = 0; c < classes.size(); ++c) {
    std::error_code ignored;
    if (!fs::is_directory(side / classes[c], ignored)) continue;
    for (const fs::path& file : entries_of(side / classes[c])) {
      if (!fs::is_regular_file(file, ignored))
        refuse(file, "expected pictures in the folder of a class");
      sorted.files.push_back(file);
      sorted.labels.push_back(static_cast<std::int64_t>(c));
    }
  }
  if (sorted.files.empty()) refuse(side, "there is no picture in its folders");
  Rng rng = Rng(0).fork(side.filename().string().starts_with("train") ? "train" : "test");
  for (const std::uint32_t i : rng.permutation(static_cast<std::uint32_t>(sorted.files.size()))) {
    out.files.push_back(sorted.files[i]);
    out.labels.push_back(sorted.labels[i]);
  }
  return out;
}

std::vector<std::string> folders_in(const fs::path& side) {
  std::vector<std::string> names;
  for (const fs::path& entry : entries_of(side)) {
    std::error_code ignored;
    if (!fs::is_directory(entry, ignored))
      refuse(entry, "expected folders, one for each class, and pictures in them");
    names.push_back(entry.filename().string());
  }
  if (names.empty()) refuse(side, "expected a folder for each class");
  return names;
}

bool is_jpeg(std::span<const std::uint8_t> file) {
  return file.size() > 2 && file[0] == 0xff && file[1] == 0xd8;
}

template <class Body>
auto reading(const fs::path& file, const Body& body) {
  try {
    return body();
  } catch (const Error& e) {
    if (e.fault() != Fault::Data) throw;
    refuse(file, e.what());
  }
}

constexpr std::size_t kLargestPicture = std::size_t{1} << 28;  // of a file

ImageShape shape_of(const fs::path& file, std::span<const std::uint8_t> bytes) {
  return reading(file, [&] {
    const ImageShape found = is_jpeg(bytes) ? jpeg_shape(bytes) : png_shape(bytes);
    return checked_shape(file, static_cast<std::size_t>(found.height),
                         static_cast<std::size_t>(found.width),
                         static_cast<std::size_t>(found.channels));
  });
}

/// In colour if `shape` has three channels, whatever the file has; else the file must be grey.
void decode(const fs::path& file, std::span<const std::uint8_t> bytes, const ImageShape& shape,
            std::span<std::uint8_t> out) {
  const ImageShape found = shape_of(file, bytes);
  if (found.height != shape.height || found.width != shape.width || found.channels > shape.channels)
    refuse(file, fmt::format("a picture of {}, where the others have {}; scale all to one size",
                             found.text(), shape.text()));
  reading(file, [&] {
    if (is_jpeg(bytes))
      decode_jpeg(bytes, shape, 1, out);
    else
      decode_png(bytes, shape, out);
  });
}

class PictureFolder final : public ImageSource {
 public:
  PictureFolder(std::vector<fs::path> files, ImageShape shape)
      : files_(std::move(files)), shape_(shape) {}
  void read(std::size_t i, std::span<std::uint8_t> out) const override {
    decode(files_.at(i), read_file(files_[i], kLargestPicture), shape_, out);
  }

 private:
  std::vector<fs::path> files_;
  ImageShape shape_;
};

/// Looks at every file: digests of all, in order, and the one shape that they have.
ImageShape examine(const std::array<const Listed*, 2>& sides, const fs::path& folder,
                   std::string& digests) {
  std::vector<const fs::path*> files;
  for (const Listed* side : sides)
    for (const fs::path& file : side->files)
      files.push_back(&file);
  std::vector<ImageShape> shapes(files.size());
  std::vector<std::string> digest(files.size());
  parallel_for(static_cast<int>(files.size()), [&](int i) {
    const auto at = static_cast<std::size_t>(i);
    const Bytes bytes = read_file(*files[at], kLargestPicture);
    shapes[at] = shape_of(*files[at], bytes);
    digest[at] = sha256(
        fmt::format("{} {}", fs::relative(*files[at], folder).generic_string(), sha256(bytes)));
  });
  ImageShape all = shapes.front();
  for (std::size_t i = 0; i < files.size(); ++i) {
    if (shapes[i].height != all.height || shapes[i].width != all.width)
      refuse(*files[i], fmt::format("{}x{} pixels (height, width), but {} has {}x{}; scale all to "
                                    "one size",
                                    shapes[i].height, shapes[i].width, files[0]->string(),
                                    all.height, all.width));
    all.channels = std::max(all.channels, shapes[i].channels);
    digests += digest[i];
  }
  return all;
}

/// The shape of the first picture, in colour as soon as one of the first kLookedAt of a side is:
/// every plan asks for it.
ImageShape outline(const std::array<const Listed*, 2>& sides) {
  constexpr std::size_t kLookedAt = 1000;
  std::optional<ImageShape> shape;
  for (const Listed* side : sides)
    for (const fs::path& file :
         std::span(side->files).first(std::min(side->files.size(), kLookedAt))) {
      const ImageShape found = shape_of(file, read_file(file, kLargestPicture));
      if (!shape) shape = found;
      shape->channels = std::max(shape->channels, found.channels);
      if (shape->channels == 3) return *shape;
    }
  return *shape;
}

Part part_of(Listed listed, const ImageShape& shape, bool keep) {
  Part part;
  part.shape = shape;
  part.labels = std::move(listed.labels);
  if (!keep) {
    part.source = std::make_shared<PictureFolder>(std::move(listed.files), shape);
    return part;
  }
  const auto size = static_cast<std::size_t>(shape.size());
  part.pixels.resize(listed.files.size() * size);
  parallel_for(static_cast<int>(listed.files.size()), [&](int i) {
    const auto at = static_cast<std::size_t>(i);
    decode(listed.files[at], read_file(listed.files[at], kLargestPicture), shape,
           std::span(part.pixels).subspan(at * size, size));
  });
  return part;
}

}  // namespace

bool holds_pictures(const fs::path& folder) {
  return side_of(folder, false).has_value() || side_of(folder, true).has_value();
}

Found read_pictures(const fs::path& folder, Reading how) {
  for (const bool test : {false, true})
    if (!side_of(folder, test))
      refuse(folder, fmt::format("there is no folder {}/", kSides[test ? 1 : 0][0]));
  const fs::path train = *side_of(folder, false), test = *side_of(folder, true);
  Found found;
  found.class_names = folders_in(train);
  sort_classes(found.class_names);
  for (const std::string& name : folders_in(test))
    if (std::ranges::find(found.class_names, name) == found.class_names.end())
      refuse(test / name, fmt::format("a class of which {} has no folder", train.string()));
  Listed train_list = list_side(train, found.class_names);
  Listed test_list = list_side(test, found.class_names);
  ImageShape shape;
  bool keep = false;
  if (how == Reading::Outline) {
    shape = outline({&train_list, &test_list});
  } else {
    shape = examine({&train_list, &test_list}, folder, found.digests);
    keep = (train_list.files.size() + test_list.files.size()) *
               static_cast<std::size_t>(shape.size()) <=
           kKept;
  }
  found.train = part_of(std::move(train_list), shape, keep);
  found.test = part_of(std::move(test_list), shape, keep);
  return found;
}

}  // namespace engram::own
