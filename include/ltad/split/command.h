#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "ltad/split/split.h"

namespace ltad {

/// What `ltad-split` was asked for; what is empty was not given.
struct SplitCommand {
    std::filesystem::path config_file;
    std::vector<std::string> overrides;
    std::optional<std::string> layout, root, type, order;
    std::optional<double> imbalance;
    std::optional<std::int64_t> seed;
    bool reverse = false;
    std::filesystem::path train, test;  ///< lists, for `import`
    std::filesystem::path directory;    ///< the split's folder
};

/// Each does what its subcommand says and returns what is printed: a table of the classes, or the verdict.
/// Throws UsageError for wrong options, Error for wrong data; `verify` throws when it finds a problem.
[[nodiscard]] std::string make(const SplitCommand& command);
[[nodiscard]] std::string import(const SplitCommand& command);
[[nodiscard]] std::string verify(const SplitCommand& command);

/// One line for each class: group, pictures available, requested and kept; then the sums.
[[nodiscard]] std::string format_split(const Split& split);

}  // namespace ltad
