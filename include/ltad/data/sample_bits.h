#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace ltad {

/// Finds classes whose 16-bit pictures use only the lowest of their bits, as cameras of 10, 12 or 14 bits write them:
/// read over the whole range they are nearly black.
class SampleBits {
public:
    /// A picture of a class, with the greatest of its 16-bit samples; 0: it has none.
    void add(const std::string& class_name, std::int64_t largest);

    /// One line for each such class: what was found, and what to set.
    [[nodiscard]] std::vector<std::string> warnings() const;

private:
    std::map<std::string, std::int64_t> largest_;
};

}  // namespace ltad
