#pragma once

#include "ltad/detect/detector.h"

/// The methods behind ltad/detect/detector.h. A new one adds its functions here, a line to detector.cpp's table, and
/// its name to config.method.
namespace ltad {

/// LTAD (eqs. 1 to 5): scores "ltad", "reconstruction" and "semantic", or one of the last two alone.
void fit_ltad(Run& run, TrainOptions options);
[[nodiscard]] std::unique_ptr<Detector> load_ltad(const Run& run, Phase2Part part);

/// UniAD (You et al., NeurIPS 2022) on the run's features: Π trained on jittered real features, mean squared error,
/// clipped gradients; a token's score is ‖Π(p) − p‖₂. Score "uniad".
void fit_uniad(Run& run, TrainOptions options);
[[nodiscard]] json uniad_settings(const Run& run);
[[nodiscard]] std::unique_ptr<Detector> load_uniad(const Run& run);

/// PatchCore (Roth et al., CVPR 2022) on the run's features: a coreset of locally averaged training patches of all
/// classes; a patch's score is its squared distance to the nearest of them. Score "patchcore".
void fit_patchcore(Run& run, TrainOptions options);
[[nodiscard]] json patchcore_settings(const Run& run);
[[nodiscard]] std::unique_ptr<Detector> load_patchcore(const Run& run);

}  // namespace ltad
