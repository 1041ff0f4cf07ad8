#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "ltad/core/json.h"
#include "ltad/core/outputs.h"
#include "ltad/detect/thresholds.h"

namespace ltad {

/// The name of each picture's maps, by the picture's file: its own where it ends in ".png", else with ".png" behind it;
/// with more of them where other pictures' maps have the name, so that no two share one.
[[nodiscard]] std::map<std::string, std::string> map_names(const std::vector<Sample>& pictures);

/// Claims what a MapWriter will write into a folder for these pictures.
void claim_maps(Outputs& outputs, const std::vector<Sample>& pictures, const std::vector<std::string>& scores,
                const std::filesystem::path& folder);

/// Writes what an evaluation sees, below a folder:
///   <score>/<file>.png   16-bit grey, S × S, of each score (`map_names`)
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
    std::map<std::string, std::string> names_;
    json maps_ = json::array();
};

}  // namespace ltad
