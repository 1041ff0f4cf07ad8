#include "ltad/data/sample_bits.h"

#include <algorithm>

#include "ltad/core/error.h"

namespace ltad {

void SampleBits::add(const Sample& sample, bool is_training, std::int64_t largest) {
    add(text("class '", sample.class_name, "': its 16-bit ",
             is_training        ? "training"
             : sample.defective ? "defective test"
                                : "good test",
             " pictures"),
        largest);
}

void SampleBits::add(const std::string& group, std::int64_t largest) {
    if (largest > 0) largest_[group] = std::max(largest_[group], largest);
}

std::vector<std::string> SampleBits::warnings() const {
    std::vector<std::string> lines;
    for (const auto& [name, largest] : largest_)
        for (const int bits : {8, 10, 12, 14}) {
            if (largest >= std::int64_t{1} << bits) continue;
            lines.push_back(text(name, " have no sample above ", largest, ", as cameras of ", bits,
                                 " bits write them, and look nearly black; set dataset.bits to ", bits,
                                 " (or to 16, where they are dark by right)"));
            break;
        }
    return lines;
}

}  // namespace ltad
