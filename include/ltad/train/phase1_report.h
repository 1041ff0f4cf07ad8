#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ltad/train/phase1.h"

namespace ltad {

/// Whether phase 1 has learned something, class by class, on pictures that the split left out (or, for a class that the
/// split uses up, on training pictures). Errors are the reconstruction term of eq. 6.
struct Phase1Report {
    struct Class {
        std::string name;
        Group group = Group::high;
        std::int64_t pictures = 0;
        bool held_out = false;         ///< else these are training pictures
        double from_latent = 0;        ///< error of D(ẑ, t_c)
        double from_noise = 0;         ///< error of D(noise, t_c), noise ~ N(0, I)
        double from_mean = 0;          ///< error of the mean of the class's training pictures
        double nearest_own_class = 0;  ///< share of D(ẑ, t_c) whose nearest class mean is their own
    };
    std::vector<Class> classes;
    double name_distance = 0;  ///< mean over class pairs of 1 − cos(t_c, t_c')
    double name_change = 0;    ///< root mean square change of the s_c since their start

    [[nodiscard]] json to_json() const;
    [[nodiscard]] std::string table() const;
};

/// Throws Interrupted where somebody asks meanwhile: with hundreds of classes it takes minutes.
[[nodiscard]] Phase1Report report_phase1(const Run& run, const Phase1Model& model, const FeatureSet& train);

}  // namespace ltad
