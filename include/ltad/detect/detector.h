#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "ltad/model/prompts.h"
#include "ltad/train/run.h"
#include "ltad/train/trainee.h"

namespace ltad {

/// How anomalous some pictures are: for every score that a method gives, the pictures' maps and their own numbers.
struct Detection {
    /// [B, S, S] each, float on the CPU, contiguous; S = scoring.map_size. Empty where the method gives none.
    std::vector<at::Tensor> maps;
    std::vector<at::Tensor> images;  ///< [B] each, float on the CPU
};

/// A method that was fitted to a run's training pictures.
class Detector {
public:
    virtual ~Detector() = default;

    /// Its scores, the main one first, as files and tables spell them.
    [[nodiscard]] virtual const std::vector<std::string>& scores() const = 0;

    /// Whether it says where a picture is anomalous; else it has no pixel figures, boxes and overlays.
    [[nodiscard]] virtual bool gives_maps() const { return true; }

    /// Of pictures of a set, by whatever the method looks at: features, class, the picture itself. No gradient.
    [[nodiscard]] virtual Detection detect(const FeatureSet& set, std::span<const std::size_t> indices) const = 0;

    /// Of training pictures, whose scores say what is normal: each as if it had not been trained on, as far as the
    /// method can leave it out.
    [[nodiscard]] virtual Detection detect_left_out(const FeatureSet& set, std::span<const std::size_t> indices) const {
        return detect(set, indices);
    }

    /// The fitted files it was loaded from, in the order of the method's parts: the same bytes give the same scores.
    [[nodiscard]] virtual std::vector<std::filesystem::path> files() const = 0;
    /// Their SHA-256 when it was loaded; another training may have replaced them since. Set by `load_detector`.
    [[nodiscard]] const std::vector<std::string>& file_hashes() const { return file_hashes_; }
    void remember_file_hashes();

    /// The weight of the semantic part, where there is one.
    [[nodiscard]] virtual std::optional<double> lambda() const { return std::nullopt; }

    /// The class names that it learned, for who wants to read them; null where it learns none.
    [[nodiscard]] virtual const Prompts* learned_names() const { return nullptr; }

private:
    std::vector<std::string> file_hashes_;
};

/// Trains what config.method needs and is not trained yet: for "ltad" both phases. Throws Error, Interrupted.
void fit_detector(Run& run, TrainOptions options);

/// The fitted method of a run. `only`: one of its scores after the main one, which then needs no more than its own
/// parts; empty for all. Throws Error when something is not trained or was trained with other settings, UsageError
/// where the method has no such part or the config asks for what cannot be.
[[nodiscard]] std::unique_ptr<Detector> load_detector(const Run& run, const std::string& only = "");

}  // namespace ltad
