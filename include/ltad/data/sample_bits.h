#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "ltad/data/sample.h"

namespace ltad {

/// Finds pictures of 16 bits that use only the lowest of them, as cameras of 10, 12 or 14 bits write them: read over
/// the whole range they are nearly black. Told by groups, such as a class's training pictures: a single one may be
/// dark.
class SampleBits {
public:
    /// A picture of a group ("class 'a': its 16-bit training pictures"), with the greatest of its 16-bit samples; 0: it
    /// has none.
    void add(const std::string& group, std::int64_t largest);
    /// A picture of a data set, in the group of its class and half.
    void add(const Sample& sample, bool is_training, std::int64_t largest);

    /// One line for each such group: what was found, and what to set.
    [[nodiscard]] std::vector<std::string> warnings() const;

private:
    std::map<std::string, std::int64_t> largest_;
};

}  // namespace ltad
