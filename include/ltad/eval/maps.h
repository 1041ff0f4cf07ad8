#pragma once

#include <cstddef>
#include <filesystem>

#include "ltad/core/json.h"
#include "ltad/detect/thresholds.h"

namespace ltad {

/// Writes what an evaluation sees, below a folder:
///   <score>/<file>.png   16-bit grey, S × S, of each score
///   overlay/<file>.png   the picture under the main score's colours, the mask's outline in white
///   maps.json            of each map, the scores that 0 and 65535 stand for; written last
class MapWriter {
public:
    /// Measures the run's thresholds where they are missing: they say where the colours begin.
    MapWriter(Run& run, const Detector& detector, std::filesystem::path folder);

    /// Picture `row` of a detection. `file`: where it is.
    void write(const Sample& sample, const std::filesystem::path& file, const Detection& found, std::size_t row);
    void finish() const;

private:
    const Run& run_;
    const Detector& detector_;
    Thresholds thresholds_;
    std::filesystem::path folder_;
    json maps_ = json::array();
};

}  // namespace ltad
