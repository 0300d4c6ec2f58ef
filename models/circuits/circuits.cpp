#include "models/circuits/circuits.h"

#include <fmt/format.h>

#include "utils/error.h"

namespace engram {

void check_labels(const std::string& model, const HeadShape& head) {
  if (head.heads > 1)
    throw Error(Fault::Config,
                fmt::format("model = {} has one set of labels; use head = masked or shared instead "
                            "of per_task",
                            model));
  if (head.outputs < 2)
    throw Error(Fault::Config,
                fmt::format("model = {} tells labels apart and needs two at least; use "
                            "head_outputs = own",
                            model));
}

}  // namespace engram
