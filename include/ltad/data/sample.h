#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace ltad {

/// One picture of a data set. Paths are relative to the data set's root and use '/'.
struct Sample {
    std::string file;
    std::string class_name;
    bool defective = false;
    /// Empty for a good picture, and where the data set is labelled by image only.
    std::string mask;

    friend bool operator==(const Sample&, const Sample&) = default;
};

/// All pictures of a data set, sorted bytewise by file. `train` holds good ones only.
struct Dataset {
    std::filesystem::path root;
    std::vector<Sample> train;
    std::vector<Sample> test;
};

}  // namespace ltad
