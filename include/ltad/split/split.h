#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "ltad/config/config.h"
#include "ltad/data/sample.h"

namespace ltad {

enum class Group { high, low };

/// "high" or "low", as files and tables spell it.
[[nodiscard]] std::string_view name_of(Group group);

/// What a split keeps of one class. Low is a minority class, one that the imbalance leaves with fewer pictures.
struct ClassSplit {
    std::string name;
    std::int64_t available = 0;  ///< training pictures in the data set
    std::int64_t requested = 0;  ///< by the formula, before the limit to what there is
    std::int64_t kept = 0;
    Group group = Group::high;
};

/// A long-tailed training set and the untouched test set.
struct Split {
    std::string type;  ///< "exp", "step" or "import"
    double imbalance_factor = 1;
    ClassOrder class_order;
    bool reverse = false;
    std::int64_t seed = 0;
    std::vector<ClassSplit> classes;  ///< in class order
    std::vector<Sample> train;        ///< sorted by file
    std::vector<Sample> test;         ///< sorted by file
};

/// The counts of DESIGN section 3, one per class in class order, from the pictures available in that order.
[[nodiscard]] std::vector<std::int64_t> requested_counts(const std::string& type, double imbalance_factor,
                                                         std::int64_t largest, std::size_t classes);

/// Draws the split. Throws UsageError for a class order that names unknown, missing or repeated classes.
[[nodiscard]] Split make_split(const Dataset& dataset, const SplitConfig& config, std::int64_t seed);

/// A split from somebody else's lists; groups by the training counts in them.
[[nodiscard]] Split import_split(const Dataset& lists);

/// Writes train.jsonl, test.jsonl and split.json (with the sha256 of both lists) into a folder.
void write_split(const std::filesystem::path& folder, const Split& split, const DatasetConfig& dataset);

/// Reads a split directory; the hashes of the lists must hold. Throws Error naming the file and what differs.
[[nodiscard]] Split read_split(const std::filesystem::path& folder);

/// Checks the hashes and that every file and mask is there and opens. `root` empty: the one recorded in split.json.
/// Returns one line for each problem found; none means the split is sound.
[[nodiscard]] std::vector<std::string> verify_split(const std::filesystem::path& folder,
                                                    const std::filesystem::path& root);

/// Says, for each class, how many test pictures have the content of a training picture: such a one tells nothing of
/// pictures that were not trained on. `content_of`: a hash of the picture's file; empty where it is not known.
void warn_of_copies(const std::string& root, const Split& split,
                    const std::function<std::string(const Sample&)>& content_of);

}  // namespace ltad
