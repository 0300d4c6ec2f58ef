// A user's own images as IDX and CIFAR's files, and whatever may be wrong with files of any form.
#include "benchmarks/stream_table.h"
#include "tests/benchmarks/jpeg_bytes.h"
#include "tests/benchmarks/own_data_files.h"
#include "utils/rng.h"

namespace engram {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::raw;

TEST_F(OwnData, ReadsIdxAsTheCatalogueDoes) {
  path_ = folder_ / "idx";
  const auto images = [](bool test) {
    Bytes bytes;
    for (const std::uint32_t word : {0x803u, test ? 6u : 12u, 4u, 3u})
      append_word(bytes, word);
    const Bytes all = pixels(test, {4, 3, 1});
    bytes.insert(bytes.end(), all.begin(), all.end());
    return bytes;
  };
  write_bytes(path_ / "emnist-train-images-idx3-ubyte", images(false));
  write_bytes(path_ / "emnist-train-labels-idx1-ubyte.gz", gzipped(idx_labels(label_list(false))));
  write_bytes(path_ / "emnist-test-images-idx3-ubyte.gz", gzipped(images(true)));
  EXPECT_THAT(refusal(), HasSubstr("no IDX file of test labels"));
  write_bytes(path_ / "emnist-test-labels-idx1-ubyte", idx_labels(label_list(true)));
  expect_all(read(), {4, 3, 1});
  write_bytes(path_ / "train-more-labels", idx_labels(label_list(false)));
  EXPECT_THAT(refusal(), HasSubstr("two files of training labels"));
}

TEST_F(OwnData, ReadsCifarsBinaryFiles) {
  path_ = folder_ / "cifar";
  const auto record = [](std::initializer_list<std::uint8_t> labels, std::uint8_t red) {
    Bytes bytes(labels);
    bytes.resize(labels.size() + 3072, 9);
    bytes[labels.size()] = red;
    return bytes;
  };
  const auto two = [](Bytes a, const Bytes& b) {
    a.insert(a.end(), b.begin(), b.end());
    return a;
  };
  write_bytes(path_ / "data_batch_1.bin", two(record({3}, 1), record({4}, 2)));
  write_bytes(path_ / "data_batch_2.bin", record({3}, 3));
  write_bytes(path_ / "test_batch.bin", record({4}, 4));
  Dataset data = read();
  EXPECT_EQ(data.shape(), (ImageShape{32, 32, 3}));
  EXPECT_THAT(data.train->labels, ElementsAre(0, 1, 0));
  EXPECT_THAT(data.class_names, ElementsAre("3", "4"));
  EXPECT_EQ(data.train->image(2)[0], 3);
  write_bytes(path_ / "test_batch.bin", Bytes(3000));
  EXPECT_THAT(refusal(), AllOf(HasSubstr("3073"), HasSubstr("3074")));
  std::filesystem::remove_all(path_);
  write_bytes(path_ / "train.bin", two(record({1, 50}, 1), record({2, 60}, 2)));
  write_bytes(path_ / "test.bin", record({1, 50}, 4));
  data = read();
  EXPECT_THAT(data.class_names, ElementsAre("50", "60"));
}

TEST_F(OwnData, SaysWhatIsUnderstoodWhenNothingIs) {
  path_ = folder_ / "empty";
  std::filesystem::create_directories(path_);
  EXPECT_THAT(refusal(), AllOf(HasSubstr("HDF5"), HasSubstr(".npz"), HasSubstr("train/")));
  path_ = folder_ / "text";
  write_bytes(path_, {'h', 'e', 'l', 'l', 'o'});
  EXPECT_THAT(refusal(), HasSubstr("neither HDF5 nor .npz"));
  EXPECT_THAT(message_of(Fault::MissingInput, [&] { read_own(folder_ / "no", ImageLayout::Hwc); }),
              HasSubstr("no file or folder"));
}

/// Prefixes are refused, unless what they lack is padding, and many files with wrong bytes in them
/// are refused or read, and never more.
void expect_no_harm(const std::filesystem::path& file, const std::function<Dataset()>& read,
                    std::size_t step) {
  const Bytes good = read_bytes(file);
  const Dataset whole = read();
  std::size_t refused = 0, tried = 0;
  for (std::size_t length = 0; length < good.size(); length += step, ++tried) {
    write_bytes(file, Bytes(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(length)));
    try {
      const Dataset found = read();
      EXPECT_EQ(found.train->pixels, whole.train->pixels) << length;
      EXPECT_EQ(found.test->pixels, whole.test->pixels) << length;
      EXPECT_EQ(found.train->labels, whole.train->labels) << length;
    } catch (const Error& e) {
      ++refused;
      EXPECT_THAT(e.what(), HasSubstr(file.filename().string())) << length;
    }
  }
  EXPECT_GE(refused, tried * 9 / 10);
  Rng rng(7);
  for (int round = 0; round < 150; ++round) {
    Bytes bad = good;
    for (std::uint32_t k = 1 + rng.below(4); k > 0; --k)
      bad[rng.below(static_cast<std::uint32_t>(bad.size()))] =
          static_cast<std::uint8_t>(rng.below(256));
    write_bytes(file, bad);
    try {
      read();
    } catch (const Error&) {  // fine
    }
  }
  write_bytes(file, good);
  read();
}

TEST_F(OwnData, TruncatedAndCorruptFilesDoNoHarm) {
  put_npz("<f4", "2, 2", raw(std::vector<float>(48, .5F)), raw(std::vector<float>(24, .5F)));
  expect_no_harm(
      path_, [&] { return read(); }, 13);
  put_good_h5({3, 2, 3});
  expect_no_harm(
      path_, [&] { return read(); }, 61);
  put_pictures({5, 4, 3});
  expect_no_harm(
      path_ / "train/2/01.png", [&] { return read(); }, 2);
  path_ = folder_ / "jpegs";
  for (const char* side : {"train", "test"})
    write_bytes(path_ / side / "a/1.jpg", jpeg({90, 10, 30}, {16, 8, 3}));
  expect_no_harm(
      path_ / "train/a/1.jpg", [&] { return read(); }, 5);
}

TEST_F(OwnData, HeadersThatClaimTooMuchAreRefused) {
  put_pictures({5, 4, 1});
  Bytes png = encode_png(Bytes(20, 1), 5, 4, 1);
  const auto claim = [&](std::size_t at, std::uint32_t value) {
    Bytes bad = png;
    for (std::size_t k = 0; k < 4; ++k)
      bad[at + k] = static_cast<std::uint8_t>(value >> (24 - 8 * k));
    write_bytes(path_ / "train/2/01.png", bad);
    return refusal();
  };
  EXPECT_THAT(claim(16, 0xffffffff), HasSubstr("sides are 1 to"));
  EXPECT_THAT(claim(20, 0), HasSubstr("sides are 1 to"));
  EXPECT_THAT(claim(16, 900'000), HasSubstr("cannot hold"));
  png[24] = 16;
  EXPECT_THAT(claim(20, 5), HasSubstr("16 bits"));
  put_npz("|u1", "2, 2", "abcd", "abcd");
  EXPECT_THAT(refusal(), HasSubstr("needs 48 bytes and has 4"));
  put_npz("|u1", "4294967295, 4294967295", "abcd", "abcd");
  EXPECT_THAT(refusal(), HasSubstr("2^31"));
  put_npz("<c8", "1", std::string(96, 'a'), std::string(48, 'a'));
  EXPECT_THAT(refusal(), HasSubstr("<c8"));
}

TEST_F(OwnData, EveryStreamRunsOverIt) {
  put_good_h5({3, 2, 3});
  StreamOptions o;
  o.benchmark = "own";
  o.data_path = path_.string();
  o.normalise = Normalise::Standard;
  o.validation = .25;
  const Dataset data = load_benchmark(o, {});
  o.tasks = 3;
  o.classes_per_task = 1;
  const auto split = make_stream(o, data, 1);  // stream = auto
  EXPECT_EQ(split->task_name(1), "dog");
  EXPECT_EQ(split->experience(0).train.size(), 3u);
  EXPECT_EQ(split->validation(0).size(), 1u);
  for (const StreamKind kind : {StreamKind::Permuted, StreamKind::Rotated}) {
    o.stream = kind;
    const auto stream = make_stream(o, data, 1);
    EXPECT_EQ(stream->experience(2).train.size(), 9u);
    EXPECT_THAT(stream->describe(), HasSubstr("own (set.h5)"));
  }
  // Normalised by its own mean and deviation: of all training images, mean 0 and deviation 1.
  o.stream = StreamKind::Permuted;
  o.validation = 0;
  o.first_task_identity = true;
  double sum = 0, squares = 0, n = 0;
  for (const auto& [x, label, task] : content(make_stream(o, data, 1)->experience(0).train))
    for (std::size_t p = 0; p < x.size(); p += 3, ++n)
      sum += static_cast<double>(x[p]), squares += static_cast<double>(x[p] * x[p]);
  EXPECT_NEAR(sum / n, 0, 1e-5);
  EXPECT_NEAR(squares / n, 1, 1e-5);
}

TEST_F(OwnData, IsFoundAsWrittenOrBelowAFolderOfDataSets) {
  put_good_h5({3, 2, 1});
  StreamOptions o;
  o.benchmark = "own";
  const auto why = [&](Fault fault) {
    return message_of(fault, [&] {
      check_benchmark(o);
      load_benchmark(o, {{folder_.path()}});
    });
  };
  EXPECT_THAT(why(Fault::Config), HasSubstr("data_path"));
  o.data_path = "set.h5";
  EXPECT_EQ(load_benchmark(o, {{folder_ / "no", folder_.path()}}).classes, kClasses);
  o.data_path = "sett.h5";
  EXPECT_THAT(why(Fault::MissingInput), HasSubstr((folder_ / "sett.h5").string()));
  o.benchmark = "synthetic";
  EXPECT_THAT(why(Fault::Config), HasSubstr("benchmark = own"));
}

TEST(Png, DecodesWhatItEncodes) {
  for (const ImageShape shape : {ImageShape{3, 5, 1}, ImageShape{3, 5, 3}}) {
    const Bytes image = pixels(false, {3, 5, shape.channels});
    const Bytes one(image.begin(), image.begin() + shape.size());
    const auto file = encode_png(one, 3, 5, shape.channels);
    EXPECT_EQ(png_shape(file), shape);
    Bytes out(one.size());
    decode_png(file, shape, out);
    EXPECT_EQ(out, one);
  }
  const Bytes grey{1, 2, 3, 4};
  Bytes coloured(12);
  decode_png(encode_png(grey, 2, 2, 1), {2, 2, 3}, coloured);
  EXPECT_THAT(coloured, ElementsAre(1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4));
}

}  // namespace
}  // namespace engram
