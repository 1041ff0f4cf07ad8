#include "ltad/align/preprocessing.h"

#include <initializer_list>
#include <optional>

#include "ltad/core/error.h"
#include "read_key.h"

namespace ltad {
namespace {

constexpr const char* own_file = "preprocessor_config.json";
constexpr const char* shared_file = "processor_config.json";

/// The keys that matter, with the defaults of transformers' EfficientNetImageProcessor.
struct Settings {
    bool do_rescale = true;
    double rescale_factor = 1.0 / 255.0;
    bool rescale_offset = false;
    bool do_normalize = true;
    std::array<double, 3> image_mean{0.5, 0.5, 0.5};
    std::array<double, 3> image_std{0.5, 0.5, 0.5};
    bool include_top = true;
};

/// A number stands for all channels.
void read_channels(const json& document, const char* key, std::array<double, 3>& values, const std::string& where) {
    const auto found = document.find(key);
    if (found != document.end() && found->is_number())
        values.fill(found->get<double>());
    else
        read_key(document, key, values, where);
}

/// The image processor's class, by which transformers chooses the defaults. The older name was "…FeatureExtractor".
std::string class_of(const json& document, const std::string& where) {
    std::string name = "EfficientNetImageProcessor";
    read_key(document, "feature_extractor_type", name, where);
    read_key(document, "image_processor_type", name, where);
    return name;
}

/// Another class's defaults are not known here, and it has neither rescale_offset nor include_top.
void check_other_class(const json& document, const Settings& settings, const std::string& name,
                       const std::string& where) {
    const auto need = [&](const char* key) {
        if (!document.contains(key) || document[key].is_null())
            fail(where, ": ", key, " is missing; the defaults of ", name,
                 " are not known (those of EfficientNetImageProcessor are): write the key out");
    };
    need("do_rescale");
    need("do_normalize");
    if (settings.do_rescale) need("rescale_factor");
    if (settings.do_normalize)
        for (const char* key : {"image_mean", "image_std"}) need(key);
    for (const char* key : {"rescale_offset", "include_top"})
        if (document.contains(key) && document[key] == true)
            fail(where, ": ", key, " means nothing to ", name, ", it belongs to EfficientNetImageProcessor");
}

Settings read_settings(const json& document, const std::string& where) {
    Settings s;
    const std::string name = class_of(document, where);
    const bool other = !name.starts_with("EfficientNet");
    if (other) s.include_top = false;
    read_key(document, "do_rescale", s.do_rescale, where);
    read_key(document, "rescale_factor", s.rescale_factor, where);
    read_key(document, "rescale_offset", s.rescale_offset, where);
    read_key(document, "do_normalize", s.do_normalize, where);
    read_key(document, "include_top", s.include_top, where);
    if (s.do_normalize) read_channels(document, "image_mean", s.image_mean, where);
    if (s.do_normalize || s.include_top) read_channels(document, "image_std", s.image_std, where);
    if (other) check_other_class(document, s, name, where);
    return s;
}

std::optional<json> read_if_there(const std::filesystem::path& file) {
    return std::filesystem::exists(file) ? std::optional(read_json(file)) : std::nullopt;
}

}  // namespace

Preprocessing parse_preprocessing(const json& document, const std::string& where) {
    if (!document.is_object()) fail(where, ": a JSON object was expected");
    const Settings s = read_settings(document, where);
    if (s.do_rescale && !(s.rescale_factor > 0)) fail(where, ": rescale_factor must be positive");
    Preprocessing result;
    for (std::size_t c = 0; c < 3; ++c) {
        if ((s.do_normalize || s.include_top) && !(s.image_std[c] > 0)) fail(where, ": image_std must be positive");
        const double divisor = (s.do_normalize ? s.image_std[c] : 1) * (s.include_top ? s.image_std[c] : 1);
        const double shift = (s.do_rescale && s.rescale_offset ? -1 : 0) - (s.do_normalize ? s.image_mean[c] : 0);
        result.scale[c] = (s.do_rescale ? s.rescale_factor : 1) / divisor;
        result.offset[c] = shift / divisor;
    }
    return result;
}

json read_preprocessing_document(const std::filesystem::path& directory) {
    const std::optional<json> own = read_if_there(directory / own_file);
    const std::optional<json> shared = read_if_there(directory / shared_file);
    // Before transformers 5 this file did not hold the image processor.
    const bool nested = shared && shared->is_object() && !shared->value("image_processor", json()).is_null();
    if (!own && !nested)
        fail(directory.string(), ": ", own_file, " is missing",
             shared ? text(", and ", shared_file, " has no \"image_processor\"") : text(", as is ", shared_file),
             "; it says how pictures become the encoder's input");
    if (!nested) return *own;
    const json& inner = (*shared)["image_processor"];
    const std::string where = (directory / shared_file).string() + ": image_processor";
    const Preprocessing theirs = parse_preprocessing(inner, where);
    if (own && parse_preprocessing(*own, (directory / own_file).string()) != theirs)
        fail(where, ": says other things than ", own_file, " beside it; remove the one that does not belong");
    return inner;
}

Preprocessing read_preprocessing(const std::filesystem::path& directory) {
    const bool own = std::filesystem::exists(directory / own_file);
    return parse_preprocessing(read_preprocessing_document(directory),
                               (directory / (own ? own_file : shared_file)).string());
}

}  // namespace ltad
