#include "ltad/features/store.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <set>
#include <utility>

#include <ATen/Parallel.h>
#include <sys/stat.h>

#include "ltad/core/error.h"
#include "ltad/core/hash.h"
#include "ltad/core/interrupt.h"
#include "ltad/core/log.h"
#include "ltad/core/parallel.h"

namespace ltad {
namespace {

constexpr const char* index_format = "ltad-features/1";
constexpr const char* interrupted = "interrupted while features were verified";

constexpr std::int64_t most_segments = 1'000'000'000'000;  // far from where numbers overflow

/// n of "index-<n>.json", or nothing for another name, such as "index-007.json".
std::optional<std::int64_t> segment_number(const std::string& name, std::string_view prefix, std::string_view ending) {
    if (!name.starts_with(prefix) || !name.ends_with(ending) || name.size() <= prefix.size() + ending.size()) return {};
    std::int64_t number = 0;
    const char* const stop = name.data() + name.size() - ending.size();
    const auto [end, code] = std::from_chars(name.data() + prefix.size(), stop, number);
    if (code != std::errc() || end != stop || number < 0 || number > most_segments) return {};
    return text(prefix, number, ending) == name ? std::optional(number) : std::nullopt;
}

bool same_file(const FileStamp& a, const FileStamp& b) { return a.size == b.size && a.modified == b.modified; }

/// An index's entry of one picture. Throws Error naming the index, or json::exception.
FileStamp read_stamp(const json& item, const std::string& where) {
    FileStamp stamp{.path = item.at("path").get<std::string>(), .sha256 = item.at("sha256").get<std::string>()};
    for (const char* key : {"size", "modified", "width", "height"})
        if (!item.at(key).is_number_integer())
            fail(where, ": a whole number was expected as ", key, " of ", stamp.path);
    stamp.size = item["size"].get<std::uint64_t>();
    stamp.modified = item["modified"].get<std::int64_t>();
    stamp.width = item["width"].get<std::int64_t>();
    stamp.height = item["height"].get<std::int64_t>();
    const auto largest = item.find("largest");  // of pictures of 16 bits
    if (largest != item.end() && !largest->is_number_integer())
        fail(where, ": a whole number was expected as largest of ", stamp.path);
    if (largest != item.end()) stamp.largest = largest->get<std::int64_t>();
    if (stamp.width < 1 || stamp.height < 1)
        fail(where, ": ", stamp.path, " has ", stamp.width, " x ", stamp.height, " pixels there");
    return stamp;
}

/// Of an index's arrays, the first whose bytes are not those that were written; empty where all are.
std::string damaged_array(const std::filesystem::path& index_file,
                          const std::vector<std::pair<std::string, std::filesystem::path>>& arrays) {
    try {
        const json index = read_json(index_file);
        for (const auto& [kind, array] : arrays)
            if (index.at(kind + "_sha256") != sha256_file(array))
                return array.string() + ": its bytes differ from what was written";
        return "";
    } catch (const json::exception& error) {
        return text(index_file.string(), ": ", words_of(error));
    } catch (const Error& error) {
        return error.what();
    }
}

}  // namespace

FileStamp stamp_of(const std::filesystem::path& file, bool hash) {
    struct stat status {};
    if (::stat(file.c_str(), &status) != 0) fail("cannot read ", file.string(), ": no such file");
    return {.path = std::filesystem::weakly_canonical(file).string(),
            .size = static_cast<std::uint64_t>(status.st_size),
            .modified = std::int64_t{status.st_mtim.tv_sec} * 1'000'000'000 + status.st_mtim.tv_nsec,
            .sha256 = hash ? sha256_file(file) : "",
            .width = 0,
            .height = 0,
            .largest = 0};
}

FeatureStore::FeatureStore(const std::filesystem::path& root, const json& settings, Shape shape)
    : settings_(settings), folder_(root / sha256(settings.dump()).substr(0, 16)), shape_(shape) {
    refresh();
}

void FeatureStore::write_settings() const {
    const auto settings_file = folder_ / "settings.json";
    if (!std::filesystem::exists(settings_file)) write_json(settings_file, settings_);
}

std::filesystem::path FeatureStore::file(const char* kind, std::int64_t number, const char* ending) const {
    return folder_ / text(kind, '-', number, ending);
}

void FeatureStore::refresh() {
    if (!std::filesystem::exists(folder_)) return;
    std::set<std::int64_t> found;  // in order: a picture that was encoded again is in a later segment
    for (const auto& entry : std::filesystem::directory_iterator(folder_)) {
        const std::string name = entry.path().filename();
        if (const auto number = segment_number(name, "index-", ".json"))
            found.insert(*number);
        else if (name.starts_with("index-") && name.ends_with(".json"))
            log_warning_once(text(entry.path().string(), ": not a segment's name, so it is left out"));
    }
    // The number of a damaged segment that somebody has removed may be in use again.
    std::erase_if(opened_, [&](const auto& item) { return !item.second && !found.contains(item.first); });
    for (const std::int64_t number : found) {
        if (opened_.contains(number)) continue;
        try {
            opened_[number] = open_segment(number);
        } catch (const Error& error) {
            opened_[number] = nullptr;
            log_warning(text("feature store: a damaged segment is left out and its pictures are encoded again: ",
                             error.what()));
        }
    }
}

std::shared_ptr<const FeatureStore::Mapped> FeatureStore::open_segment(std::int64_t number) {
    const auto index_file = file("index", number, ".json");
    const json index = read_json(index_file);
    const std::string where = index_file.string();
    auto mapped = std::make_shared<const Mapped>(
        Mapped{NpyFile(file("features", number, ".npy")), NpyFile(file("latents", number, ".npy"))});
    std::vector<std::pair<std::string, Place>> places;
    try {
        if (index.at("format") != index_format) fail(where, ": format ", index_format, " was expected");
        for (const json& item : index.at("images")) {
            FileStamp stamp = read_stamp(item, where);
            std::string path = stamp.path;
            places.push_back({std::move(path), {.segment = mapped, .row = places.size(), .stamp = std::move(stamp)}});
        }
    } catch (const json::exception& error) {
        fail(where, ": ", words_of(error));
    }
    const auto count = static_cast<std::int64_t>(places.size());
    if (mapped->features.shape() != std::vector{count, shape_.channels, shape_.grid, shape_.grid} ||
        mapped->latents.shape() != std::vector{count, shape_.latent})
        fail(where, ": the arrays beside it do not have the shapes that its ", count, " pictures need");
    for (auto& [path, place] : places) by_path_[path] = std::move(place);
    return mapped;
}

bool FeatureStore::contains(const FileStamp& stamp) const {
    const auto found = by_path_.find(stamp.path);
    if (found == by_path_.end()) return false;
    const FileStamp& known = found->second.stamp;
    if (known.size != stamp.size) return false;
    if (!stamp.sha256.empty()) return known.sha256 == stamp.sha256;
    if (known.modified == stamp.modified) return true;
    stop_if_interrupted("interrupted while pictures were compared with their features");
    return known.sha256 == sha256_file(stamp.path);
}

const FeatureStore::Place& FeatureStore::place_of(const std::string& path) const {
    const auto found = by_path_.find(path);
    if (found == by_path_.end()) fail(path, ": not in the feature store ", folder_.string());
    return found->second;
}

const std::string& FeatureStore::sha256_of(const std::string& path) const { return place_of(path).stamp.sha256; }

ImageFeatures FeatureStore::get(const std::string& path) const {
    const Place& place = place_of(path);
    return {place.segment->features.row(place.row), place.segment->latents.row(place.row), place.stamp.width,
            place.stamp.height, place.stamp.largest};
}

std::vector<std::string> FeatureStore::verify() {
    std::vector<std::string> problems;
    for (auto& [number, segment] : opened_) {
        if (!segment) {
            problems.push_back(text(file("index", number, ".json").string(), ": damaged"));
            continue;
        }
        stop_if_interrupted(interrupted);
        std::string problem = damaged_array(
            file("index", number, ".json"),
            {{"features", file("features", number, ".npy")}, {"latents", file("latents", number, ".npy")}});
        if (problem.empty()) continue;
        problems.push_back(std::move(problem));
        std::erase_if(by_path_, [&](const auto& item) { return item.second.segment == segment; });
        segment.reset();
    }
    for (std::string& problem : forget_changed()) problems.push_back(std::move(problem));
    return problems;
}

std::vector<std::string> FeatureStore::forget_changed() {
    std::vector<std::string> paths;
    // One whose size or time differs is compared before it is used.
    for (const auto& [path, place] : by_path_)
        if (std::filesystem::exists(path) && same_file(place.stamp, stamp_of(path, false))) paths.push_back(path);
    std::vector<char> changed(paths.size());
    for_each_index(paths.size(), static_cast<std::size_t>(at::get_num_threads()), [&](std::size_t i) {
        stop_if_interrupted(interrupted);
        changed[i] = sha256_file(paths[i]) != by_path_.at(paths[i]).stamp.sha256;
    });
    std::vector<std::string> problems;
    for (std::size_t i = 0; i < paths.size(); ++i) {
        if (!changed[i]) continue;
        by_path_.erase(paths[i]);
        problems.push_back(text(paths[i], ": the picture has changed since it was encoded, or cannot be read"));
    }
    return problems;
}

void FeatureStore::remove_leftovers() const {
    for (const auto& [number, segment] : opened_)
        if (!segment) std::filesystem::remove(file("index", number, ".json"));
    for (const auto& entry : std::filesystem::directory_iterator(folder_)) {
        const std::string name = entry.path().filename();
        auto number = segment_number(name, "features-", ".npy");
        if (!number) number = segment_number(name, "latents-", ".npy");
        const bool orphan = number && !std::filesystem::exists(file("index", *number, ".json"));
        const bool half_written = name.find(".npy.tmp-") != std::string::npos ||
                                  (name.starts_with("index-") && name.find(".json.tmp-") != std::string::npos);
        if (orphan || half_written) std::filesystem::remove(entry.path());
    }
}

FeatureStore::Segment::Segment(FeatureStore& store)
    : store_(store),
      // A damaged segment is not overwritten: another process may have it mapped.
      number_(store.opened_.empty() ? 0 : store.opened_.rbegin()->first + 1),
      features_(store.file("features", number_, ".npy"), {store.shape_.channels, store.shape_.grid, store.shape_.grid}),
      latents_(store.file("latents", number_, ".npy"), {store.shape_.latent}) {
    store.write_settings();
}

void FeatureStore::Segment::add(const FileStamp& stamp, std::span<const float> map, std::span<const float> latent) {
    features_.append(map);
    latents_.append(latent);
    stamps_.push_back(stamp);
}

void FeatureStore::Segment::commit() {
    features_.commit();
    latents_.commit();
    json images = json::array();
    for (const FileStamp& s : stamps_) {
        images.push_back({{"path", s.path},
                          {"size", s.size},
                          {"modified", s.modified},
                          {"sha256", s.sha256},
                          {"width", s.width},
                          {"height", s.height}});
        if (s.largest > 0) images.back()["largest"] = s.largest;
    }
    write_json(store_.file("index", number_, ".json"),
               {{"format", index_format},
                {"features_sha256", sha256_file(store_.file("features", number_, ".npy"))},
                {"latents_sha256", sha256_file(store_.file("latents", number_, ".npy"))},
                {"images", images}});
    store_.refresh();
}

}  // namespace ltad
