#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "ltad/core/json.h"
#include "ltad/core/npy.h"

namespace ltad {

/// A picture's identity: its path, and what tells whether it has changed.
struct FileStamp {
    std::string path;  ///< absolute
    std::uint64_t size = 0;
    std::int64_t modified = 0;  ///< nanoseconds
    std::string sha256;
    std::int64_t width = 0;  ///< of the picture, in pixels
    std::int64_t height = 0;
    std::int64_t largest = 0;  ///< the greatest sample of a picture of 16 bits; 0 for others, or where it is not known
};

/// Size and time of a file. `hash` fills sha256 too. Throws Error naming a file that is not there.
[[nodiscard]] FileStamp stamp_of(const std::filesystem::path& file, bool hash);

/// What the encoder makes of one picture.
struct ImageFeatures {
    std::span<const float> map;     ///< [C_tot, G, G]
    std::span<const float> latent;  ///< [d_z]
    std::int64_t width = 0;         ///< of the picture itself, in pixels
    std::int64_t height = 0;
    std::int64_t largest = 0;  ///< see FileStamp
};

/// Frozen features of pictures on disk, in a folder of its own for each key (encoder, taps, grid, picture size):
///   settings.json          what the key stands for
///   features-<n>.npy       [N, C_tot, G, G] float32
///   latents-<n>.npy        [N, d_z] float32
///   index-<n>.json         the pictures of segment n: path, size, time, sha256; written last, it makes the segment
///   count lock                   held by the process that is adding
/// A kill at any moment leaves at worst files without an index, which the next writer removes.
class FeatureStore {
public:
    struct Shape {
        std::int64_t channels = 0;
        std::int64_t grid = 0;
        std::int64_t latent = 0;
    };

    /// The store for `settings` (its hash names the folder) below `root`, which need not be there: reading makes
    /// nothing. Segments whose files are truncated or do not fit are left out with a warning, and so encoded again.
    FeatureStore(const std::filesystem::path& root, const json& settings, Shape shape);

    [[nodiscard]] const std::filesystem::path& folder() const { return folder_; }
    [[nodiscard]] const Shape& shape() const { return shape_; }
    [[nodiscard]] std::size_t size() const { return by_path_.size(); }

    /// Whether the picture is there and unchanged: the same hash where the stamp has one, else the same size and time,
    /// or the same hash.
    [[nodiscard]] bool contains(const FileStamp& stamp) const;

    /// Throws Error when the picture is not there.
    [[nodiscard]] ImageFeatures get(const std::string& path) const;
    /// The picture's content when it was encoded. Throws Error as `get` does.
    [[nodiscard]] const std::string& sha256_of(const std::string& path) const;

    /// Reads again which segments there are; other processes may have added some.
    void refresh();

    /// Rehashes every segment and every picture that is still on disk; forgets what is damaged, so that it counts as
    /// missing. Returns one line for each problem.
    [[nodiscard]] std::vector<std::string> verify();

    /// Adds a segment. Hold `lock()` of this store; `commit` makes it appear.
    class Segment {
    public:
        explicit Segment(FeatureStore& store);
        void add(const FileStamp& stamp, std::span<const float> map, std::span<const float> latent);
        [[nodiscard]] std::size_t size() const { return stamps_.size(); }
        void commit();

    private:
        FeatureStore& store_;
        std::int64_t number_;
        NpyWriter features_;
        NpyWriter latents_;
        std::vector<FileStamp> stamps_;
    };

    [[nodiscard]] std::filesystem::path lock_file() const { return folder_ / "lock"; }
    /// Removes what a killed writer left. Hold the lock.
    void remove_leftovers() const;

private:
    struct Mapped {
        NpyFile features;
        NpyFile latents;
    };
    struct Place {
        std::shared_ptr<const Mapped> segment;
        std::size_t row = 0;
        FileStamp stamp;
    };

    [[nodiscard]] const Place& place_of(const std::string& path) const;
    [[nodiscard]] std::filesystem::path file(const char* kind, std::int64_t number, const char* ending) const;
    std::shared_ptr<const Mapped> open_segment(std::int64_t number);
    void write_settings() const;
    /// Of pictures with the size and time that they had, forgets those that have changed. Returns one line for each.
    std::vector<std::string> forget_changed();

    json settings_;
    std::filesystem::path folder_;
    Shape shape_;
    std::map<std::int64_t, std::shared_ptr<const Mapped>> opened_;  ///< null for a damaged one
    std::map<std::string, Place> by_path_;
};

}  // namespace ltad
