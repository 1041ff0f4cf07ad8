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
    void train(bool verify_features, const std::function<void(std::span<const PlannedPart>)>& next);

    /// Writes the run's results and returns them.
    [[nodiscard]] json evaluate();

private:
    void make(std::span<const PlannedPart> parts);
    /// Throws Error when the run does not read any more what its key says: a table takes hours, and what is made of
    /// other pictures must not be kept under it.
    void check_inputs() const;
    [[nodiscard]] bool inputs_are_same() const;
    void take_over(const PlannedPart& part, const json& settings) const;

    const PlannedRun& planned_;
    const PartIndex& index_;
    const Method& method_;
    Run run_;
};

}  // namespace ltad
