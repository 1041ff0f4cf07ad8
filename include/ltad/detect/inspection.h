#pragma once

#include <filesystem>
#include <iosfwd>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "ltad/core/json.h"
#include "ltad/detect/thresholds.h"
#include "ltad/report/heat_map.h"

namespace ltad {

/// What a run says of a picture that nobody has labelled.
struct Finding {
    std::string file;
    std::string error;  ///< why it has no score; the rest is empty then
    std::string class_name{};
    bool class_predicted = false;    ///< by the nearest mean of training pictures, else as given
    std::vector<double> scores{};    ///< in the order of Detector::scores
    double threshold = 0;            ///< of the main score
    std::optional<Box> box{};        ///< the worst region, in the picture's pixels; of a defective picture with a map
    std::optional<Image> overlay{};  ///< where asked for

    [[nodiscard]] bool defective() const { return !scores.empty() && scores.front() > threshold; }
};

/// A picture for an Inspector.
struct InspectedPicture {
    std::filesystem::path file{};
    int width = 0;
    int height = 0;
    int largest = 0;      ///< see DecodedPicture
    Image image{};        ///< the whole, only where it is kept
    at::Tensor input{};   ///< [image_size, image_size, 3] uint8
    std::string error{};  ///< why it could not be read; the rest is empty then
};

/// Decodes and resizes by several threads, as the layout's pictures were; keeps whole pictures, which may be large,
/// where overlays need them. An unreadable file costs no other.
[[nodiscard]] std::vector<InspectedPicture> read_pictures(std::span<const std::filesystem::path> files,
                                                          const FeatureLayout& layout, bool keep);

/// Scores pictures with a fitted run.
class Inspector {
public:
    /// class_name: the pictures'; empty: each is taken for the class whose training pictures' mean embedding is
    /// nearest. Throws UsageError for a class that the run does not know, listing those it does.
    Inspector(const Run& run, const Detector& detector, const Thresholds& thresholds, std::string class_name,
              bool overlays);

    /// Of each picture, in their order.
    [[nodiscard]] std::vector<Finding> inspect(const std::vector<InspectedPicture>& pictures) const;

private:
    [[nodiscard]] std::string class_of(const at::Tensor& embedding) const;
    void describe(Finding& finding, const Detection& found, std::int64_t row, const InspectedPicture& picture) const;

    const Run& run_;
    const Detector& detector_;
    const Thresholds& thresholds_;
    std::string class_name_;
    bool overlays_;
};

/// One line of JSON: file, score, threshold, verdict, class, class_from, box, scores; or file and error.
[[nodiscard]] json to_json(const Finding& finding, const std::vector<std::string>& score_names);

struct InspectionOptions {
    std::filesystem::path run{};           ///< folder of a trained run
    std::vector<std::string> pictures{};   ///< files, or folders of them
    std::string class_name{};              ///< of all pictures; empty: as `Inspector` says
    std::filesystem::path overlays{};      ///< folder for the pictures with their heat maps; empty for none
    std::vector<std::string> overrides{};  ///< KEY=VALUE
};

/// What `ltad-detect` does: a line of JSON for each picture, as soon as it is scored. The run's data set need not be
/// there, once its thresholds are measured. Throws UsageError for a path that is not there; Error, after all lines,
/// when pictures have no score; Interrupted.
void inspect_pictures(const InspectionOptions& options, std::ostream& out);

}  // namespace ltad
