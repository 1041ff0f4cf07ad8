#pragma once

#include <functional>
#include <span>

#include "ltad/core/json.h"
#include "ltad/repro/part_index.h"
#include "ltad/repro/plan.h"

namespace ltad {

/// Trains and evaluates one planned run, taking over what others have trained.
class RunTrainer {
public:
    RunTrainer(const PlannedRun& planned, const PartIndex& index);

    /// `next`: called before each training with the parts that it makes; pictures are encoded before the first.
    void train(const std::function<void(std::span<const PlannedPart>)>& next);

    /// Writes the run's results and returns them.
    [[nodiscard]] json evaluate();

private:
    void make(std::span<const PlannedPart> parts);
    void take_over(const PlannedPart& part, const json& settings) const;

    const PlannedRun& planned_;
    const PartIndex& index_;
    const Method& method_;
    Run run_;
};

}  // namespace ltad
