// Everything that decides what is learnt and in which order, declared once. Each cut of a data set
// reads the fields that it needs; `auto` means "decided from the other settings".
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "utils/options.h"

namespace engram {

enum class StreamKind { Permuted, Split, Rotated, MultiMnist, Attributes };
enum class MnistMode { Perm, Split };
enum class Protocol { Sequential, Cumulative, Joint };
enum class CumulData { Tasks, Base };
enum class ClassOrder { Natural, Seed };
enum class Boundaries { Sharp, Linear, IBlurry };
enum class ImageLayout { Hwc, Chw };
enum class RepeatData { All, Parts };
enum class PermutationSource { NumpyLegacy, Philox };
enum class RotationPlan { Uniform, Even };
enum class Normalise { None, Standard, Imagenet, Hsu, Mnist, Half };

template <>
struct Choices<StreamKind> {
  static constexpr std::array<std::string_view, 5> names{"permuted", "split", "rotated",
                                                         "multi_mnist", "attributes"};
};
template <>
struct Choices<MnistMode> {
  static constexpr std::array<std::string_view, 2> names{"perm", "split"};
};
template <>
struct Choices<Protocol> {
  static constexpr std::array<std::string_view, 3> names{"sequential", "cumulative", "joint"};
};
template <>
struct Choices<CumulData> {
  static constexpr std::array<std::string_view, 2> names{"tasks", "base"};
};
template <>
struct Choices<ClassOrder> {
  static constexpr std::array<std::string_view, 2> names{"natural", "seed"};
};
template <>
struct Choices<Boundaries> {
  static constexpr std::array<std::string_view, 3> names{"sharp", "linear", "i_blurry"};
};
template <>
struct Choices<ImageLayout> {
  static constexpr std::array<std::string_view, 2> names{"hwc", "chw"};
};
template <>
struct Choices<RepeatData> {
  static constexpr std::array<std::string_view, 2> names{"all", "parts"};
};
template <>
struct Choices<PermutationSource> {
  static constexpr std::array<std::string_view, 2> names{"numpy_legacy", "philox"};
};
template <>
struct Choices<RotationPlan> {
  static constexpr std::array<std::string_view, 2> names{"uniform", "even"};
};
template <>
struct Choices<Normalise> {
  static constexpr std::array<std::string_view, 6> names{"none", "standard", "imagenet",
                                                         "hsu",  "mnist",    "half"};
};

struct StreamOptions {
  std::string benchmark = "mnist";
  std::string data_path;
  ImageLayout image_layout = ImageLayout::Hwc;
  std::optional<StreamKind> stream;
  MnistMode mnist_mode = MnistMode::Perm;
  int tasks = 10;
  std::optional<int> classes_per_task, base_classes;
  bool cumul = false;
  CumulData cumul_data = CumulData::Tasks;
  Protocol protocol = Protocol::Sequential;
  ClassOrder class_order = ClassOrder::Natural;
  std::optional<std::uint64_t> order_seed;
  PermutationSource permutations = PermutationSource::NumpyLegacy;
  std::optional<std::uint64_t> permutation_seed;
  bool first_task_identity = false;
  double max_rotation = 180;
  RotationPlan rotation = RotationPlan::Uniform;
  std::optional<std::uint64_t> pair_seed;
  std::vector<std::string> attributes;
  int image_scale = 1;
  Boundaries boundaries = Boundaries::Sharp;
  double blur = 0.2, disjoint_classes = 0.5, blurry_share = 0.1;
  bool task_free = false;
  std::vector<int> task_order;
  int repeats = 1;
  RepeatData repeat_data = RepeatData::All;
  double imbalance = 1, task_imbalance = 1;
  ClassOrder imbalance_order = ClassOrder::Natural;
  std::vector<double> task_sizes;
  int first_tasks = 0;
  double validation = 0;
  int train_limit = 0, class_limit = 0, test_limit = 0;
  int pad = 0;
  Normalise normalise = Normalise::None;

  template <class V>
  void describe(V&& v) {
    v("benchmark", benchmark,
      "data set of `engram list datasets`, or own: the images at data_path");
    v("data_path", data_path,
      "own: file or folder of images (pictures by class, IDX, CIFAR's binary files, HDF5, .npz), "
      "here or in a folder of data sets");
    v("image_layout", image_layout,
      "own: axes of an array of four, [n, height, width, channels] or [n, channels, height, "
      "width]");
    v("stream", stream,
      "how the data set becomes tasks; auto: after mnist_mode for mnist, fashion and kmnist, "
      "attributes for sets that have them, split for the others");
    v("mnist_mode", mnist_mode, "what `stream = auto` means for mnist, fashion and kmnist");
    v("tasks|num_batch", tasks, Range::at_least(1),
      "number of tasks of permuted, split and rotated; multi_mnist has two, attributes one for "
      "each");
    v("classes_per_task", classes_per_task, Range::at_least(1),
      "split: classes in a task; auto: classes / tasks");
    v("base_classes", base_classes, Range::at_least(1),
      "split: classes of the first task, the others having classes_per_task each (auto: what is "
      "left, shared among them); auto: as many as the others");
    v("protocol", protocol,
      "training data of a phase: its task, all tasks so far, or all tasks in one phase");
    v("cumul", cumul, "the older spelling of protocol = joint");
    v("cumul_data", cumul_data,
      "joint: train on the union of the tasks, or (base) on the data set as it is: unpermuted and "
      "unrotated, which for permuted tasks measures nothing but is what the reference did");
    v("class_order", class_order, "split: classes in natural order, or shuffled by order_seed");
    v("order_seed", order_seed,
      "seed of class_order = seed and imbalance_order = seed; auto: the run's seed");
    v("permutations", permutations,
      "numpy_legacy: bit for bit numpy.random.seed(permutation_seed + task) and shuffle; philox: "
      "our own generator");
    v("permutation_seed", permutation_seed,
      "auto: 0 for numpy_legacy, the run's seed for philox and for the angles of rotated");
    v("first_task_identity", first_task_identity, "leave the first task unpermuted or unrotated");
    v("max_rotation", max_rotation, Range::above(0).at_most(360),
      "rotated: upper end of the angles");
    v("rotation", rotation,
      "rotated: angles drawn from [0, max_rotation), or evenly spaced over it");
    v("pair_seed", pair_seed,
      "multi_mnist: seed of which digit stands on the right; auto: the run's seed");
    v("attributes", attributes,
      "attributes: names of those to ask about, in this order; empty: all");
    v("image_scale", image_scale, Range::at_least(1).at_most(8),
      "attributes of JPEG images: decode them at one over this (1, 2, 4, 8) of their size");
    v("boundaries", boundaries,
      "where one task becomes the next: at once; linear: the share of the next task rises "
      "linearly, "
      "over blur, every example is met once and in the stream's order (one epoch); i_blurry: split "
      "classes of which some come back in small numbers in all other tasks");
    v("blur", blur, Range::above(0).at_most(1),
      "linear: length of the change over that of the shorter of the two phases, half before and "
      "half behind their border");
    v("disjoint_classes", disjoint_classes, Range::fraction(),
      "i_blurry: share of the classes that stay in their own task");
    v("blurry_share", blurry_share, Range::fraction(),
      "i_blurry: share of the other classes' examples that are put together and dealt to all "
      "tasks");
    v("task_free", task_free,
      "tell nobody who learns where a task ends: heads per task, outputs opened by task, and "
      "whatever acts at borders are refused; the matrix still has a row for every phase");
    v("task_order", task_order, Range::at_least(0),
      "the task of every phase, which may come back (0, 1, 2, 0, 1, 2); empty: each once. New "
      "tasks "
      "come in the order of their numbers");
    v("repeats", repeats, Range::at_least(1).at_most(10000),
      "how often the whole order of tasks is gone through");
    v("repeat_data", repeat_data,
      "tasks that come back bring all of their training examples every time, or an equal part of "
      "them, another one at each visit");
    v("imbalance", imbalance, Range::at_least(1),
      "long-tailed classes: class c of C keeps imbalance^(-c/(C-1)) of its training examples, the "
      "last one in `imbalance`; test and validation sets stay as they are");
    v("imbalance_order", imbalance_order,
      "which classes are large: the first ones, or drawn by order_seed");
    v("task_imbalance", task_imbalance, Range::at_least(1),
      "the same of tasks: task t of T keeps task_imbalance^(-t/(T-1)) of every class");
    v("task_sizes", task_sizes, Range::above(0).at_most(1),
      "share of its training examples that each task keeps (1, 0.5, 0.1); empty: by "
      "task_imbalance");
    v("first_tasks", first_tasks, Range::at_least(0),
      "learn and test only so many tasks, the first, as they are in the whole stream; 0: all");
    v("validation", validation, Range::at_least(0).below(1),
      "share of each task's training examples held out, the same share of every class; for "
      "multi_mnist and attributes, which hold images out in any case: above 0 makes those the "
      "validation set");
    v("train_limit", train_limit, Range::at_least(0),
      "use only the first n training images of the data set; 0: all");
    v("class_limit", class_limit, Range::at_least(0),
      "of these, use only the first n of each class (few-shot streams); 0: all");
    v("test_limit", test_limit, Range::at_least(0),
      "use only the first n test images of the data set; 0: all");
    v("pad", pad, Range::at_least(0).at_most(64), "background pixels added on every side");
    v("normalise", normalise,
      "pixels to input: byte / 255; the data set's mean and deviation; ImageNet's; those of Hsu et "
      "al. 2018 (.1000, .2752, for MNIST padded to 32x32); MNIST's for any grey images; or .5 and "
      ".5");
  }
};

}  // namespace engram
