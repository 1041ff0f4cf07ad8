#pragma once

#include "layer.h"
#include "ltad/core/image.h"

namespace ltad {

/// How a picture is taken.
struct Exposure {
    bool grey = false;     ///< by a camera without colour
    float unevenness = 0;  ///< how much darker the picture gets from one side to the other
    float noise = 0;       ///< standard deviation
    float contrast = 1;
    bool soft = false;  ///< a little out of focus
};

/// `front` over `back`, with the shadow that it casts away from the light. The result is in `front`.
void lay_over(Layer& front, const Layer& back, Point light, float shadow);

/// The picture that a camera takes: uneven light, noise, 8 bits.
[[nodiscard]] Image take_picture(Layer& scene, const Exposure& exposure, Random& random);

}  // namespace ltad
