#include "exps/checkpoint.h"

#include <algorithm>

#include <fmt/format.h>

#include "exps/results_file.h"
#include "utils/error.h"
#include "utils/h5.h"

namespace engram {
namespace {

constexpr int kSchema = 3;  // 2: weights are [inputs, outputs]; 3: every slice by name

/// Every array of the run with the name it has in the file.
std::vector<std::pair<std::string, std::span<real>>> arrays(const RunParts& parts) {
  std::vector<std::pair<std::string, std::span<real>>> all;
  ParamStore& params = parts.net.params();
  for (int id = 0; id < params.count(); ++id)
    all.emplace_back("weights." + params.param(id).name, params.raw_value(id).all());
  all.emplace_back("states", parts.net.params().states());
  int i = 0;
  for (const auto& a : parts.optimizer.state())
    all.emplace_back(fmt::format("optimizer{}", i++), a);
  i = 0;
  for (const auto& a : parts.rule.state())
    all.emplace_back(fmt::format("rule{}", i++), a);
  for (std::size_t s = 0; s < parts.strategies.size(); ++s) {
    i = 0;
    for (const auto& a : parts.strategies[s]->state())
      all.emplace_back(fmt::format("strategy{}_{}", s, i++), a);
  }
  i = 0;
  for (const auto& a : parts.looks)
    all.emplace_back(fmt::format("look{}", i++), a);
  i = 0;
  for (const auto& a : parts.agent)
    all.emplace_back(fmt::format("agent{}", i++), a);
  return all;
}

std::vector<double> pack(const Cursor& c) {
  std::vector<double> v{static_cast<double>(c.experience),
                        static_cast<double>(c.epoch),
                        static_cast<double>(c.step),
                        static_cast<double>(c.total_steps),
                        static_cast<double>(c.examples),
                        c.loss,
                        c.correct,
                        c.seconds,
                        c.learning_rate,
                        c.macs.executed,
                        c.macs.dense,
                        c.window_correct,
                        c.window_examples,
                        static_cast<double>(c.active.size())};
  v.insert(v.end(), c.active.begin(), c.active.end());
  v.insert(v.end(), c.measures.begin(), c.measures.end());
  return v;
}

Cursor unpack(const std::vector<double>& v) {
  constexpr std::size_t kFixed = 14;
  if (v.size() < kFixed || !(v[13] >= 0 && v[13] <= static_cast<double>(v.size() - kFixed)))
    throw Error(Fault::Data, "the cursor is too short");
  Cursor c;
  c.experience = static_cast<int>(v[0]), c.epoch = static_cast<int>(v[1]);
  c.step = static_cast<std::int64_t>(v[2]), c.total_steps = static_cast<std::int64_t>(v[3]);
  c.examples = static_cast<std::int64_t>(v[4]);
  c.loss = v[5], c.correct = v[6], c.seconds = v[7], c.learning_rate = v[8];
  c.macs = {v[9], v[10]};
  c.window_correct = v[11], c.window_examples = v[12];
  const auto measures = v.begin() + kFixed + static_cast<std::ptrdiff_t>(v[13]);
  c.active.assign(v.begin() + kFixed, measures);
  c.measures.assign(measures, v.end());
  return c;
}

void read_measured(const h5::Group& root, Cursor& c) {
  if (root.has("measured"))
    c.measured = root.read_integers("measured");
  else  // checkpoints from before: measures were of all examples
    c.measured.assign(c.measures.size(), c.examples);
  if (c.measured.size() != c.measures.size())
    throw Error(Fault::Data, "the cursor's measures and their counts differ in number");
}

}  // namespace

void save_checkpoint(const std::filesystem::path& file, const RunParts& parts) {
  h5::save(file, [&](const h5::Group& root) {
    root.attribute("checkpoint_schema", std::int64_t{kSchema});
    root.attribute("optimizer_steps", parts.optimizer.steps());
    for (const auto& [name, values] : arrays(parts))
      root.write(name, std::span<const real>(values), {values.size()});
    const auto cursor = pack(parts.cursor);
    root.write("cursor", std::span<const double>(cursor), {cursor.size()});
    if (const auto& measured = parts.cursor.measured; !measured.empty())
      root.write("measured", std::span<const std::int64_t>(measured), {measured.size()});
    if (parts.world)
      root.write("world", std::span<const double>(*parts.world), {parts.world->size()});
    write_record(root.create("record"), parts.record, ForgettingDefinition::Chaudhry);
  });
}

void load_checkpoint(const std::filesystem::path& file, const RunParts& parts) {
  during("checkpoint " + file.string(), [&] {
    h5::load(file, [&](const h5::Group& root) {
      for (auto& [name, values] : arrays(parts)) {
        const std::vector<float> saved = root.read_floats(name);
        if (saved.size() != values.size())
          throw Error(Fault::Data, fmt::format("'{}' has {} values instead of {}; it belongs to "
                                               "another model. Start over with --force",
                                               name, saved.size(), values.size()));
        std::copy(saved.begin(), saved.end(), values.begin());
      }
      parts.net.check_restored(), parts.net.restored();
      parts.optimizer.set_steps(root.integer_attribute("optimizer_steps"));
      parts.cursor = unpack(root.read("cursor"));
      read_measured(root, parts.cursor);
      if (parts.world) *parts.world = root.read("world");
      parts.record = read_record(root.open("record"));
      parts.optimizer.set_taken(parts.record.optimizer_steps);
    });
  });
}

CheckpointHead peek_checkpoint(const std::filesystem::path& file) {
  CheckpointHead head;
  h5::load(file, [&](const h5::Group& root) {
    if (!root.has_attribute("checkpoint_schema") ||
        root.integer_attribute("checkpoint_schema") != kSchema)
      throw Error(Fault::Data, file.string() + " is not a checkpoint of this version of Engram");
    const h5::Group record = root.open("record");
    head = {record.open("config").text_attribute("text"), recorded_data(record)};
  });
  return head;
}

}  // namespace engram
