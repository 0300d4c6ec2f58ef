#include "benchmarks/stream_table.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "benchmarks/boundaries.h"
#include "benchmarks/catalog.h"
#include "benchmarks/cumulative.h"
#include "benchmarks/cut_stream.h"
#include "benchmarks/imbalance.h"
#include "benchmarks/repetition.h"
#include "benchmarks/wrapped_stream.h"
#include "utils/error.h"

namespace engram {
namespace {

constexpr std::array<StreamEntry, 5> kStreams{{
    {StreamKind::Permuted, "permuted", "all classes in every task, pixels in another order",
     "Goodfellow et al. 2013", make_permuted, list_options<StreamOptions>},
    {StreamKind::Split, "split", "other classes in every task",
     "Zenke et al. 2017; Rebuffi et al. 2017", make_split, list_options<StreamOptions>},
    {StreamKind::Rotated, "rotated", "all classes in every task, images turned by another angle",
     "Lopez-Paz and Ranzato 2017", make_rotated, list_options<StreamOptions>},
    {StreamKind::MultiMnist, "multi_mnist", "left or right of two digits in one image",
     "Sabour et al. 2017", make_multi_mnist, list_options<StreamOptions>},
    {StreamKind::Attributes, "attributes", "a yes-or-no question about the same images per task",
     "Liu et al. 2015", make_attributes, list_options<StreamOptions>},
}};

/// `cumul = true` is an older way of saying protocol = joint.
Protocol resolved_protocol(const StreamOptions& options) {
  if (options.cumul && options.protocol == Protocol::Cumulative)
    throw Error(
        Fault::Config,
        "cumul = true means protocol = joint, but protocol = cumulative is set; drop cumul");
  const Protocol protocol = options.cumul ? Protocol::Joint : options.protocol;
  if (options.cumul_data == CumulData::Base && protocol != Protocol::Joint)
    throw Error(Fault::Config, "cumul_data = base needs protocol = joint (or cumul = true)");
  return protocol;
}

/// The data set as it is, for cumul_data = base. Streams that partition the classes do not need it:
/// the union of their tasks is the data set.
std::optional<ExampleSet> base_examples(const StreamOptions& options, const Dataset& data,
                                        std::uint64_t seed, const TaskStream& stream) {
  if (options.cumul_data != CumulData::Base || !stream.tasks_share_labels()) return std::nullopt;
  if (stream.tasks_share_images())
    throw Error(Fault::Config,
                "cumul_data = base: the data set as it is has no tasks of this stream; leave it at "
                "tasks");
  if (options.task_imbalance > 1 || !options.task_sizes.empty())
    throw Error(Fault::Config,
                "cumul_data = base: the data set as it is has no tasks of unequal size; leave "
                "task_sizes and task_imbalance out");
  std::vector<TaskPlan> plans(1);
  plans[0].classes = all_classes(data);
  fill_rows(options, data, seed, plans);
  const auto map = PixelMap::identity(data.shape(), pixel_scale(options, data), options.pad);
  return ExampleSet(data.train, plans[0].train, map, 0);
}

/// What changes the phases of a stream, and what does not go together with it.
void check_phases(const StreamOptions& options, Protocol protocol, const TaskStream& stream) {
  const auto refuse = [](const std::string& why) { throw Error(Fault::Config, why); };
  const bool blurs = options.boundaries != Boundaries::Sharp, repeats = repeats_tasks(options);
  if (blurs && protocol != Protocol::Sequential)
    refuse(
        fmt::format("boundaries = {} is about phases that follow each other, of which protocol = "
                    "{} has none; use boundaries = sharp or protocol = sequential",
                    name_of(options.boundaries), name_of(protocol)));
  if (repeats && protocol != Protocol::Sequential)
    refuse(
        fmt::format("task_order and repeats need protocol = sequential: under {} earlier tasks "
                    "are learnt again anyway",
                    name_of(protocol)));
  if (repeats && options.boundaries == Boundaries::IBlurry)
    refuse(
        "boundaries = i_blurry is not for tasks that come back as a whole: leave task_order and "
        "repeats out, or use boundaries = linear");
  if (is_imbalanced(options) && stream.tasks_share_images())
    refuse(
        "imbalance, task_imbalance and task_sizes are for tasks that have classes: leave them out "
        "for multi_mnist and attributes");
  if (options.class_limit > 0 && stream.tasks_share_images())
    refuse(
        "class_limit is for tasks that have classes: use train_limit for multi_mnist and "
        "attributes");
}

}  // namespace

std::span<const StreamEntry> streams() {
  return kStreams;
}

StreamKind stream_kind(const StreamOptions& options, std::string_view dataset) {
  if (options.stream) return *options.stream;
  const auto entries = datasets();
  const auto known = std::find_if(entries.begin(), entries.end(),
                                  [&](const DatasetEntry& e) { return e.name == dataset; });
  if (known != entries.end() && !known->attributes.empty()) return StreamKind::Attributes;
  const bool asks_mode = known != entries.end() && known->mnist_like;
  return asks_mode && options.mnist_mode == MnistMode::Perm ? StreamKind::Permuted
                                                            : StreamKind::Split;
}

std::unique_ptr<TaskStream> make_stream(const StreamOptions& options, const Dataset& data,
                                        std::uint64_t seed) {
  const Protocol protocol = resolved_protocol(options);
  const auto kind = static_cast<std::size_t>(stream_kind(options, data.name));
  ENGRAM_INVARIANT(static_cast<std::size_t>(kStreams[kind].kind) == kind);
  const bool asks_classes = kStreams[kind].kind != StreamKind::Attributes;
  if (asks_classes && !data.views.empty())
    throw Error(Fault::Config,
                fmt::format("stream = {}: {} has attributes instead of classes; use stream = "
                            "attributes",
                            kStreams[kind].name, data.name));
  auto stream = kStreams[kind].make(options, data, seed);
  check_phases(options, protocol, *stream);
  if (repeats_tasks(options)) stream = make_repeated(std::move(stream), options, seed);
  if (options.first_tasks > 0) stream = make_first_tasks(std::move(stream), options.first_tasks);
  if (options.boundaries == Boundaries::Linear)
    stream = make_linear(std::move(stream), options.blur, seed);
  if (options.boundaries == Boundaries::IBlurry)
    stream = make_i_blurry(std::move(stream), options.disjoint_classes, options.blurry_share, seed);
  if (protocol == Protocol::Cumulative) stream = make_cumulative(std::move(stream));
  if (protocol == Protocol::Joint) {
    auto base = base_examples(options, data, seed, *stream);
    stream = make_joint(std::move(stream), std::move(base));
  }
  if (options.task_free) stream = std::make_unique<TaskFreeStream>(std::move(stream));
  return stream;
}

}  // namespace engram
