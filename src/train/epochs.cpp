#include "ltad/train/epochs.h"

#include <algorithm>

#include "ltad/core/error.h"
#include "ltad/core/files.h"
#include "ltad/core/interrupt.h"
#include "ltad/core/progress.h"

namespace ltad {

void run_epochs(const EpochPlan& plan, std::int64_t first, const FeatureSet& set, Training& training) {
    const std::int64_t per_epoch = plan.steps_per_epoch(), total = plan.total_steps();
    Progress progress(plan.label, static_cast<std::size_t>(total), "steps", static_cast<std::size_t>(first));
    std::vector<std::size_t> order;
    for (std::int64_t step = first; step < total; ++step) {
        const std::int64_t epoch = step / per_epoch;
        if (order.empty() || step % per_epoch == 0) order = epoch_order(plan.seed, plan.phase, epoch, set.size());
        const auto [indices, next] = batch_indices(order, step, static_cast<std::size_t>(plan.batch_size));
        set.read_ahead(next);
        training.step(step, epoch, indices);
        if ((step + 1) % per_epoch == 0) progress.note(training.end_epoch(epoch));
        progress.advance();
        if (interrupt_requested() && step + 1 < total) {
            training.save_state();
            throw Interrupted("interrupted; the state is saved, --resume goes on from there");
        }
        training.save_now_and_then();
    }
}

void write_metrics(const std::filesystem::path& file, const std::vector<json>& histories) {
    std::size_t epochs = 0;
    for (const json& history : histories) epochs = std::max(epochs, history.size());
    std::string lines;
    for (std::size_t i = 0; i < epochs; ++i) {
        json line = json::object();
        for (const json& history : histories)
            if (i < history.size()) line.update(history[i]);
        lines += line.dump() + "\n";
    }
    write_file_atomically(file, lines);
}

}  // namespace ltad
