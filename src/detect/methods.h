#pragma once

#include "ltad/detect/method.h"

/// Where each method is. A new one is a source that defines such a function, a line here, one in method.cpp, and its
/// name among the choices of config.method.
namespace ltad {

/// LTAD (eqs. 1 to 5): scores "ltad", "reconstruction" and "semantic".
[[nodiscard]] Method ltad_method();

/// UniAD (You et al., NeurIPS 2022) on the run's features: Π trained on jittered real features, mean squared error,
/// clipped gradients; a token's score is ‖Π(p) − p‖₂. Score "uniad".
[[nodiscard]] Method uniad_method();

/// PatchCore (Roth et al., CVPR 2022) on the run's features: a coreset of locally averaged training patches of all
/// classes; a patch's score is its squared distance to the nearest of them. Score "patchcore".
[[nodiscard]] Method patchcore_method();

}  // namespace ltad
