#include "ltad/eval/maps.h"

#include <cmath>
#include <limits>

#include <ATen/ATen.h>

#include "ltad/core/files.h"
#include "ltad/data/image.h"
#include "ltad/data/mask.h"

namespace ltad {
namespace {

constexpr const char* maps_format = "ltad-maps/1";

/// Below `folder`, under the picture's own name.
std::filesystem::path png_for(const std::filesystem::path& folder, const std::string& file) {
    std::filesystem::path path = folder / file;
    if (path.extension() != ".png") path += ".png";
    return path;
}

void put(const std::filesystem::path& file, const std::string& bytes) {
    make_directories(file.parent_path());
    write_file_atomically(file, bytes);
}

}  // namespace

MapWriter::MapWriter(Run& run, const Detector& detector, std::filesystem::path folder)
    : run_(run), detector_(detector), thresholds_(thresholds_of(run, detector)), folder_(std::move(folder)) {
    make_directories(folder_);
    std::filesystem::remove(folder_ / "maps.json");  // its ranges are not those of the maps to come
}

void MapWriter::write(const Sample& sample, const std::filesystem::path& file, const Detection& found,
                      std::size_t row) {
    json item = {{"file", sample.file}};
    for (std::size_t s = 0; s < found.maps.size(); ++s) {
        const at::Tensor map = found.maps[s][static_cast<std::int64_t>(row)];
        const auto [low, high] = at::aminmax(map.flatten());
        // Each map has a range of its own: 16 bits resolve it as finely as can be.
        HeatRange range{low.item<float>(), high.item<float>()};
        if (!(range.high > range.low)) range.high = std::nextafter(range.low, std::numeric_limits<float>::max());
        const HeatMap heat{{map.const_data_ptr<float>(), static_cast<std::size_t>(map.numel())},
                           static_cast<int>(map.size(0))};
        const std::string& name = detector_.scores()[s];
        put(png_for(folder_ / name, sample.file), encode_heat_map(heat, range));
        item[name] = {{"map", png_for(name, sample.file).generic_string()}, {"low", range.low}, {"high", range.high}};
        if (s > 0) continue;
        const Mask mask = sample.mask.empty() ? Mask{} : read_mask(run_.config().dataset, sample);
        const Image picture = read_image(file, static_cast<int>(run_.layout().bits));
        const HeatRange colours = heat_range(thresholds_.of(sample.class_name).front());
        put(png_for(folder_ / "overlay", sample.file),
            encode_png(overlay_heat_map(picture, heat, colours, overlay_side(picture, heat),
                                        sample.mask.empty() ? nullptr : &mask)));
    }
    maps_.push_back(std::move(item));
}

void MapWriter::finish() const {
    write_json(folder_ / "maps.json", {{"format", maps_format},
                                       {"meaning", "score = low + value / 65535 * (high - low)"},
                                       {"side", run_.config().scoring.map_size},
                                       {"maps", maps_}});
}

}  // namespace ltad
