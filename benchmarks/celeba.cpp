#include "benchmarks/celeba.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "benchmarks/jpeg.h"
#include "utils/digest.h"
#include "utils/error.h"
#include "utils/files.h"

namespace engram {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t kMaxList = std::size_t{1} << 28, kMaxPicture = std::size_t{1} << 24;
constexpr int kMaxImages = 10'000'000;

/// JPEG files of one size, decoded whenever they are read.
class JpegFolder : public ImageSource {
 public:
  JpegFolder(fs::path folder, std::shared_ptr<const std::vector<std::string>> names,
             ImageShape full, int scale)
      : folder_(std::move(folder)), names_(std::move(names)), full_(full), scale_(scale) {}
  void read(std::size_t i, std::span<std::uint8_t> out) const override {
    const fs::path file = folder_ / (*names_)[i];
    const auto bytes = read_file(file, kMaxPicture);
    during(file.string(), [&] { decode_jpeg(bytes, full_, scale_, out); });
  }
  std::shared_ptr<const ImageSource> reduced(int scale) const override {
    return std::make_shared<JpegFolder>(folder_, names_, full_, scale);
  }

 private:
  fs::path folder_;
  std::shared_ptr<const std::vector<std::string>> names_;
  ImageShape full_;
  int scale_;
};

/// A text file, read line by line as words.
class List {
 public:
  explicit List(const fs::path& file) : file_(file), bytes_(read_file(file, kMaxList)) {
    rest_ = {reinterpret_cast<const char*>(bytes_.data()), bytes_.size()};
  }
  std::string digest() const { return sha256(bytes_); }
  /// The words of the next line; none at the end of the file.
  const std::vector<std::string_view>& next() {
    words_.clear();
    ++line_;
    const std::size_t end = std::min(rest_.find('\n'), rest_.size());
    for (std::string_view text = rest_.substr(0, end); !text.empty();) {
      const std::size_t begin = std::min(text.find_first_not_of(" \t\r"), text.size());
      text.remove_prefix(begin);
      const std::size_t length = std::min(text.find_first_of(" \t\r"), text.size());
      if (length > 0) words_.push_back(text.substr(0, length));
      text.remove_prefix(length);
    }
    rest_.remove_prefix(std::min(end + 1, rest_.size()));
    return words_;
  }
  bool at_end() const { return rest_.find_first_not_of(" \t\r\n") == std::string_view::npos; }
  [[noreturn]] void refuse(const std::string& why) const {
    throw Error(Fault::Data, fmt::format("{}:{}: {}", file_.string(), line_, why));
  }

 private:
  fs::path file_;
  std::vector<std::uint8_t> bytes_;
  std::string_view rest_;
  std::vector<std::string_view> words_;
  int line_ = 0;
};

struct Attributes {
  std::vector<std::string> names, files;
  std::vector<std::vector<std::uint8_t>> labels;  ///< [attribute][image]
};

/// A name that cannot lead out of the folder of the images.
bool is_plain_name(std::string_view name) {
  return name.find('/') == std::string_view::npos && !name.starts_with('.');
}

Attributes read_attributes(List& list) {
  Attributes out;
  int count = 0;
  const auto& first = list.next();
  const std::string_view number = first.size() == 1 ? first[0] : "";
  const auto parsed = std::from_chars(number.data(), number.data() + number.size(), count);
  if (number.empty() || parsed.ec != std::errc{} || parsed.ptr != number.data() + number.size() ||
      count < 1 || count > kMaxImages)
    list.refuse(fmt::format("expected the number of images, 1 to {}", kMaxImages));
  for (const std::string_view name : list.next())
    out.names.emplace_back(name);
  if (out.names.empty()) list.refuse("expected the names of the attributes");
  if (std::set(out.names.begin(), out.names.end()).size() != out.names.size())
    list.refuse("an attribute is named twice");
  out.labels.resize(out.names.size());
  for (int i = 0; i < count; ++i) {
    const auto& words = list.next();
    if (words.size() != out.names.size() + 1)
      list.refuse(fmt::format("expected a file name and {} values, found {} words (image {} of {})",
                              out.names.size(), words.size(), i + 1, count));
    if (!is_plain_name(words[0])) list.refuse(fmt::format("'{}' is not a file name", words[0]));
    out.files.emplace_back(words[0]);
    for (std::size_t a = 0; a < out.names.size(); ++a) {
      const std::string_view value = words[a + 1];
      if (value != "1" && value != "-1")
        list.refuse(fmt::format("{}: expected 1 or -1, found '{}'", out.names[a], value));
      out.labels[a].push_back(value == "1");
    }
  }
  if (!list.at_end()) list.refuse(fmt::format("more lines than its {} images", count));
  return out;
}

/// The images of each part, in the order of the list.
std::array<std::vector<std::uint32_t>, 3> read_partition(List& list,
                                                         const std::vector<std::string>& files) {
  std::array<std::vector<std::uint32_t>, 3> parts;
  for (std::size_t i = 0; i < files.size(); ++i) {
    const auto& words = list.next();
    if (words.size() != 2 || words[0] != files[i])
      list.refuse(fmt::format("expected '{}' and its part", files[i]));
    if (words[1] != "0" && words[1] != "1" && words[1] != "2")
      list.refuse(
          fmt::format("expected 0 (training), 1 (validation) or 2 (test), found '{}'", words[1]));
    parts[static_cast<std::size_t>(words[1][0] - '0')].push_back(static_cast<std::uint32_t>(i));
  }
  if (!list.at_end()) list.refuse(fmt::format("more lines than the {} images", files.size()));
  return parts;
}

std::shared_ptr<const Images> images_of(const Attributes& all,
                                        const std::vector<std::uint32_t>& rows,
                                        const fs::path& folder, const ImageShape& shape) {
  auto out = std::make_shared<Images>();
  auto names = std::make_shared<std::vector<std::string>>();
  out->shape = shape;
  out->views.resize(all.names.size());
  for (const std::uint32_t row : rows) {
    names->push_back(all.files[row]);
    for (std::size_t a = 0; a < all.names.size(); ++a)
      out->views[a].push_back(all.labels[a][row]);
  }
  out->labels = out->views[0];
  out->source = std::make_shared<JpegFolder>(folder, std::move(names), shape, 1);
  return out;
}

}  // namespace

Dataset read_celeba(const fs::path& attributes, const fs::path& partition, const fs::path& folder,
                    ImageShape shape) {
  List attribute_list(attributes), partition_list(partition);
  const Attributes all = read_attributes(attribute_list);
  auto [train, held_out, test] = read_partition(partition_list, all.files);
  std::error_code ignored;
  fs::path pictures = folder / "img_align_celeba";
  if (!fs::exists(pictures / all.files[0], ignored)) pictures = folder;
  if (!fs::exists(pictures / all.files[0], ignored))
    throw Error(Fault::MissingInput,
                fmt::format("{}: no {}; unpack img_align_celeba.zip (aligned and cropped images, "
                            "178x218 pixels) into {}/",
                            (folder / "img_align_celeba").string(), all.files[0], folder.string()));
  Dataset out;
  out.name = "celeba";
  out.classes = 2;
  out.views = all.names;
  out.held_out = held_out.size();
  train.insert(train.end(), held_out.begin(), held_out.end());
  out.train = images_of(all, train, pictures, shape);
  out.test = images_of(all, test, pictures, shape);
  out.sha256 = sha256(attribute_list.digest() + partition_list.digest());
  return out;
}

}  // namespace engram
