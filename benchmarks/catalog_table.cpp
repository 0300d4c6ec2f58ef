// The data sets, one entry each. Digests of mnist, fashion and cifar10 were computed from data
// whose MD5 sums are the published ones; those of cifar100 and of the archives are published
// (TensorFlow Datasets, torchvision-ruby); for kmnist only the digests of the .gz files are
// (TensorFlow Datasets).
#include <array>

#include "benchmarks/catalog.h"

namespace engram {
namespace {

using Names = std::string_view;

constexpr std::array<DataFile, 4> kMnistFiles{{
    {"train-images-idx3-ubyte", 47040016,
     "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db", ""},
    {"train-labels-idx1-ubyte", 60008,
     "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5", ""},
    {"t10k-images-idx3-ubyte", 7840016,
     "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7", ""},
    {"t10k-labels-idx1-ubyte", 10008,
     "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2", ""},
}};
constexpr std::array<DataFile, 4> kFashionFiles{{
    {"train-images-idx3-ubyte", 47040016,
     "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888", ""},
    {"train-labels-idx1-ubyte", 60008,
     "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9", ""},
    {"t10k-images-idx3-ubyte", 7840016,
     "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b", ""},
    {"t10k-labels-idx1-ubyte", 10008,
     "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34", ""},
}};
constexpr std::array<DataFile, 4> kKmnistFiles{{
    {"train-images-idx3-ubyte", 47040016, "",
     "51467d22d8cc72929e2a028a0428f2086b092bb31cfb79c69cc0a90ce135fde4"},
    {"train-labels-idx1-ubyte", 60008, "",
     "e38f9ebcd0f3ebcdec7fc8eabdcdaef93bb0df8ea12bee65224341c8183d8e17"},
    {"t10k-images-idx3-ubyte", 7840016, "",
     "edd7a857845ad6bb1d0ba43fe7e794d164fe2dce499a1694695a792adfac43c5"},
    {"t10k-labels-idx1-ubyte", 10008, "",
     "20bb9a0ef54c7db3efc55a92eef5582c109615df22683c380526788f98e42a1c"},
}};
constexpr std::array<DataFile, 6> kCifar10Files{{
    {"data_batch_1.bin", 30730000,
     "cee916563c9f80d84e3cc88e17fdc0941787f1244f00a67874d45b261883ada5", ""},
    {"data_batch_2.bin", 30730000,
     "a591ca11fa1708a91ee40f54b3da4784ccd871ecf2137de63f51ada8b3fa57ed", ""},
    {"data_batch_3.bin", 30730000,
     "bbe8596564c0f86427f876058170b84dac6670ddf06d79402899d93ceea26f67", ""},
    {"data_batch_4.bin", 30730000,
     "014e562d6e23c72197cc727519169a60359f5eccd8945ad5a09d710285ff4e48", ""},
    {"data_batch_5.bin", 30730000,
     "755304fc0b379caeae8c14f0dac912fbc7d6cd469eb67a1029a08a39453a9add", ""},
    {"test_batch.bin", 30730000, "8e2eb146ae340b09e24670f29cabc6326dba54da8789dab6768acf480273f65b",
     ""},
}};
constexpr std::array<DataFile, 2> kCifar100Files{{
    {"train.bin", 153700000, "f31298fc616915fa142368359df1c4ca2ae984d6915ca468b998a5ec6aeebf29",
     ""},
    {"test.bin", 30740000, "d8b1e6b7b3bee4020055f0699b111f60b1af1e262aeb93a0b659061746f8224a", ""},
}};

constexpr std::array<Names, 3> kMnistFolders{"mnist", "MNIST/raw", "MNIST"};
constexpr std::array<Names, 5> kFashionFolders{"fashion-mnist", "fashion", "fashion_mnist",
                                               "FashionMNIST/raw", "FashionMNIST"};
constexpr std::array<Names, 3> kKmnistFolders{"kmnist", "KMNIST/raw", "KMNIST"};
constexpr std::array<Names, 3> kCifar10Folders{"cifar-10-batches-bin", "cifar10",
                                               "cifar10/cifar-10-batches-bin"};
constexpr std::array<Names, 3> kCifar100Folders{"cifar-100-binary", "cifar100",
                                                "cifar100/cifar-100-binary"};

constexpr std::array<Names, 2> kMnistMirrors{"https://storage.googleapis.com/cvdf-datasets/mnist/",
                                             "https://ossci-datasets.s3.amazonaws.com/mnist/"};
constexpr std::array<Names, 3> kFashionMirrors{
    "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/",
    "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
    "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"};
constexpr std::array<Names, 2> kKmnistMirrors{"https://codh.rois.ac.jp/kmnist/dataset/kmnist/",
                                              "https://storage.googleapis.com/kuzushiji-mnist/"};
constexpr std::array<Names, 1> kCifarMirrors{"https://www.cs.toronto.edu/~kriz/"};

constexpr std::array<Names, 2> kFashionAliases{"fmnist", "fashion_mnist"};
constexpr std::array<Names, 1> kCifar100Aliases{"cifar"};
constexpr std::uint64_t kMegabyte = 1'000'000;

constexpr PixelScale grey(double mean, double deviation) {
  return {{mean}, {deviation, 1, 1, 1}};
}

constexpr DatasetEntry mnist_like(Names name, Names summary, PixelScale standard) {
  DatasetEntry e;
  e.name = name;
  e.summary = summary;
  e.format = DataFormat::Idx;
  e.classes = 10;
  e.shape = {28, 28, 1};
  e.train_count = 60000;
  e.test_count = 10000;
  e.standard = standard;
  e.mnist_like = true;
  e.download.max_bytes = 48 * kMegabyte;
  return e;
}

constexpr DatasetEntry mnist() {
  auto e = mnist_like("mnist", "handwritten digits (LeCun, Cortes, Burges)", grey(.1307, .3081));
  e.files = kMnistFiles;
  e.folders = kMnistFolders;
  e.download.mirrors = kMnistMirrors;
  e.licence = "commonly listed as CC BY-SA 3.0";
  return e;
}

constexpr DatasetEntry fashion() {
  auto e = mnist_like("fashion", "Fashion-MNIST: clothes in ten kinds (Xiao, Rasul, Vollgraf 2017)",
                      grey(.2860, .3530));
  e.aliases = kFashionAliases;
  e.files = kFashionFiles;
  e.folders = kFashionFolders;
  e.download.mirrors = kFashionMirrors;
  e.debian_package = "dataset-fashion-mnist";
  e.licence = "MIT";
  return e;
}

constexpr DatasetEntry kmnist() {
  auto e = mnist_like("kmnist", "Kuzushiji-MNIST: cursive Japanese characters (Clanuwat 2018)",
                      grey(.1918, .3483));
  e.files = kKmnistFiles;
  e.folders = kKmnistFolders;
  e.download.mirrors = kKmnistMirrors;
  e.licence = "CC BY-SA 4.0";
  return e;
}

constexpr DatasetEntry cifar(Names name, Names summary, DataFormat format, int classes) {
  DatasetEntry e;
  e.name = name;
  e.summary = summary;
  e.format = format;
  e.classes = classes;
  e.shape = {32, 32, 3};
  e.train_count = 50000;
  e.test_count = 10000;
  e.download.archive = true;
  e.download.max_bytes = 180 * kMegabyte;
  e.download.mirrors = kCifarMirrors;
  e.licence = "no terms stated; cite Krizhevsky 2009";
  return e;
}

constexpr DatasetEntry cifar10() {
  auto e = cifar("cifar10", "CIFAR-10: small colour photographs in 10 classes (Krizhevsky 2009)",
                 DataFormat::Cifar10, 10);
  e.standard = {{.4914, .4822, .4465}, {.2470, .2435, .2616, 1}};
  e.files = kCifar10Files;
  e.folders = kCifar10Folders;
  e.download.archive_name = "cifar-10-binary.tar.gz";
  e.download.archive_sha256 = "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd";
  return e;
}

constexpr DatasetEntry cifar100() {
  auto e = cifar("cifar100", "CIFAR-100: small colour photographs, the 100 fine classes",
                 DataFormat::Cifar100, 100);
  e.aliases = kCifar100Aliases;
  e.standard = {{.5071, .4865, .4409}, {.2673, .2564, .2762, 1}};
  e.files = kCifar100Files;
  e.folders = kCifar100Folders;
  e.download.archive_name = "cifar-100-binary.tar.gz";
  e.download.archive_sha256 = "58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec";
  return e;
}

constexpr DatasetEntry synthetic(Names name, Names summary, int channels, PixelScale standard) {
  DatasetEntry e;
  e.name = name;
  e.summary = summary;
  e.classes = 10;
  e.shape = {12, 12, channels};
  e.train_count = 2000;
  e.test_count = 500;
  e.standard = standard;
  e.mnist_like = channels == 1;
  e.licence = "made by the program";
  return e;
}

/// Sizes and digests of the lists are not published as SHA-256: they are read with suspicion.
constexpr std::array<DataFile, 2> kCelebaFiles{{
    {"list_attr_celeba.txt", 0, "", ""},
    {"list_eval_partition.txt", 0, "", ""},
}};
constexpr std::array<Names, 2> kCelebaFolders{"celeba", "CelebA"};
constexpr std::array<Names, 40> kCelebaAttributes{"5_o_Clock_Shadow",
                                                  "Arched_Eyebrows",
                                                  "Attractive",
                                                  "Bags_Under_Eyes",
                                                  "Bald",
                                                  "Bangs",
                                                  "Big_Lips",
                                                  "Big_Nose",
                                                  "Black_Hair",
                                                  "Blond_Hair",
                                                  "Blurry",
                                                  "Brown_Hair",
                                                  "Bushy_Eyebrows",
                                                  "Chubby",
                                                  "Double_Chin",
                                                  "Eyeglasses",
                                                  "Goatee",
                                                  "Gray_Hair",
                                                  "Heavy_Makeup",
                                                  "High_Cheekbones",
                                                  "Male",
                                                  "Mouth_Slightly_Open",
                                                  "Mustache",
                                                  "Narrow_Eyes",
                                                  "No_Beard",
                                                  "Oval_Face",
                                                  "Pale_Skin",
                                                  "Pointy_Nose",
                                                  "Receding_Hairline",
                                                  "Rosy_Cheeks",
                                                  "Sideburns",
                                                  "Smiling",
                                                  "Straight_Hair",
                                                  "Wavy_Hair",
                                                  "Wearing_Earrings",
                                                  "Wearing_Hat",
                                                  "Wearing_Lipstick",
                                                  "Wearing_Necklace",
                                                  "Wearing_Necktie",
                                                  "Young"};
constexpr std::array<Names, 6> kSyntheticAttributes{
    "left_blob", "right_blob", "vertical_stripes", "horizontal_stripes", "red_tint", "dark_frame"};

constexpr DatasetEntry celeba() {
  DatasetEntry e;
  e.name = "celeba";
  e.summary = "CelebA: portraits with 40 binary attributes (Liu et al. 2015)";
  e.format = DataFormat::CelebA;
  e.classes = 2;
  e.shape = {218, 178, 3};
  e.train_count = 162770;
  e.held_out = 19867;
  e.test_count = 19962;
  e.attributes = kCelebaAttributes;
  // In common use; not computed here, for want of the images.
  e.standard = {{.5063, .4258, .3832}, {.3106, .2904, .2897, 1}};
  e.files = kCelebaFiles;
  e.folders = kCelebaFolders;
  e.licence = "non-commercial research only, not to be passed on";
  return e;
}

constexpr DatasetEntry synthetic_attributes() {
  auto e = synthetic("synthetic_attributes",
                     "generated images with 6 binary attributes, for tests and smoke runs", 3,
                     {{.460, .324, .324}, {.220, .187, .187, 1}});
  e.classes = 2;
  e.shape = {16, 16, 3};
  e.held_out = 400;
  e.attributes = kSyntheticAttributes;
  return e;
}

constexpr std::array kDatasets{
    mnist(),
    fashion(),
    kmnist(),
    cifar10(),
    cifar100(),
    celeba(),
    synthetic("synthetic", "generated grey blobs in 10 classes, for tests and smoke runs", 1,
              grey(.21, .30)),
    synthetic("synthetic_rgb", "generated coloured blobs in 10 classes, for tests and smoke runs",
              3, {{.21, .20, .20}, {.30, .28, .29, 1}}),
    synthetic_attributes(),
};

}  // namespace

std::span<const DatasetEntry> datasets() {
  return kDatasets;
}

}  // namespace engram
