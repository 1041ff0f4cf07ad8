#include "ltad/eval/maps.h"

#include <cmath>
#include <limits>
#include <set>

#include <ATen/ATen.h>

#include "ltad/core/files.h"
#include "ltad/data/image.h"
#include "ltad/data/mask.h"

namespace ltad {
namespace {

constexpr const char* maps_format = "ltad-maps/1";

constexpr const char* overlay_folder = "overlay";
constexpr const char* list_name = "maps.json";

void put(const std::filesystem::path& file, const std::string& bytes) {
    make_directories(file.parent_path());
    write_file_atomically(file, bytes);
}

}  // namespace

std::map<std::string, std::string> map_names(const std::vector<Sample>& pictures) {
    std::map<std::string, std::string> names;
    std::set<std::string> taken;
    const auto is_png = [](const std::string& file) { return std::filesystem::path(file).extension() == ".png"; };
    for (const Sample& picture : pictures)
        if (is_png(picture.file)) taken.insert(names[picture.file] = picture.file);
    for (const Sample& picture : pictures) {
        if (is_png(picture.file) || names.contains(picture.file)) continue;
        std::string name = picture.file + ".png";
        while (!taken.insert(name).second) name += ".png";
        names[picture.file] = name;
    }
    return names;
}

void claim_maps(Outputs& outputs, const std::vector<Sample>& pictures, const std::vector<std::string>& scores,
                const std::filesystem::path& folder) {
    const std::string option = "--maps " + folder.string();
    outputs.claim(folder / list_name, option);
    std::vector<std::string> kinds = scores;
    kinds.emplace_back(overlay_folder);
    for (const auto& [picture, name] : map_names(pictures))
        for (const std::string& kind : kinds) outputs.claim(folder / kind / name, option, picture);
}

MapWriter::MapWriter(Run& run, const Detector& detector, std::filesystem::path folder)
    : run_(run),
      detector_(detector),
      thresholds_(thresholds_of(run, detector)),
      folder_(std::move(folder)),
      names_(map_names(run.split().test)) {
    make_directories(folder_);
    std::filesystem::remove(folder_ / list_name);  // its ranges are not those of the maps to come
}

void MapWriter::write(const Sample& sample, const std::filesystem::path& file, const Detection& found,
                      std::size_t row) {
    json item = {{"file", sample.file}};
    const std::string& png = names_.at(sample.file);
    for (std::size_t s = 0; s < found.maps.size(); ++s) {
        const at::Tensor map = found.maps[s][static_cast<std::int64_t>(row)];
        const auto [low, high] = at::aminmax(map.flatten());
        // Each map has a range of its own: 16 bits resolve it as finely as can be.
        HeatRange range{low.item<float>(), high.item<float>()};
        if (!(range.high > range.low)) range.high = std::nextafter(range.low, std::numeric_limits<float>::max());
        const HeatMap heat{{map.const_data_ptr<float>(), static_cast<std::size_t>(map.numel())},
                           static_cast<int>(map.size(0))};
        const std::string& name = detector_.scores()[s];
        put(folder_ / name / png, encode_heat_map(heat, range));
        item[name] = {
            {"map", (std::filesystem::path(name) / png).generic_string()}, {"low", range.low}, {"high", range.high}};
        if (s > 0) continue;
        const Mask mask = sample.mask.empty() ? Mask{} : read_mask(run_.config().dataset, sample);
        const Image picture = read_image(file, static_cast<int>(run_.layout().bits));
        const HeatRange colours = heat_range(thresholds_.of(sample.class_name).front());
        put(folder_ / overlay_folder / png,
            encode_png(overlay_heat_map(picture, heat, colours, overlay_side(picture, heat),
                                        sample.mask.empty() ? nullptr : &mask)));
    }
    maps_.push_back(std::move(item));
}

void MapWriter::finish() const {
    write_json(folder_ / list_name, {{"format", maps_format},
                                     {"meaning", "score = low + value / 65535 * (high - low)"},
                                     {"side", run_.config().scoring.map_size},
                                     {"maps", maps_}});
}

}  // namespace ltad
