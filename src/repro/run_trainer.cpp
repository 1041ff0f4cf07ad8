#include "run_trainer.h"

#include <algorithm>

#include "inputs.h"
#include "ltad/core/error.h"
#include "ltad/core/files.h"
#include "ltad/core/log.h"
#include "ltad/eval/evaluate.h"

namespace ltad {
namespace {

/// Whether a part can be used; else it says why not.
bool is_useful(const std::filesystem::path& file, const json& settings, const char* consequence) {
    std::string why;
    try {
        Metadata metadata;
        (void)load_checkpoint(file, metadata);  // checks the tensors, too
        why = why_unfit(metadata, settings);
    } catch (const Error& error) {
        why = error.what();
    }
    if (!why.empty()) log_warning(text(file.string(), ": ", consequence, ": ", why));
    return why.empty();
}

/// Removes a part that is damaged, or was made with what is no longer there, such as another phase 1: it would be
/// refused with every call anew.
void remove_useless(const std::filesystem::path& file, const json& settings) {
    if (std::filesystem::exists(file) && !is_useful(file, settings, "removed and trained again"))
        std::filesystem::remove_all(file);
}

/// Removes what does not pass a check, to be written again.
void mend(const std::filesystem::path& path, const std::function<void()>& check) {
    try {
        check();
    } catch (const Error&) {
        log_warning(text(path.string(), ": is damaged, and written again"));
        std::filesystem::remove_all(path);
    }
}

}  // namespace

RunTrainer::RunTrainer(const PlannedRun& planned, const PartIndex& index)
    : planned_(planned), index_(index), method_(method_named(planned.config.method)), run_(planned.config) {
    // The folder is this run's alone: its key says what must be there.
    mend(run_.output() / "split", [&] { run_.check_split(); });
    mend(run_.output() / "config.json", [&] { run_.check_method(); });
    run_.compare_by_content(content);  // as the key does
}

void RunTrainer::train(bool verify_features, const std::function<void(std::span<const PlannedPart>)>& next) {
    run_.prepare_features(verify_features);
    check_inputs();
    if (method_.parts.empty()) method_.fit(run_, {.from_shell = false});
    std::span<const PlannedPart> left(planned_.parts);
    while (!left.empty()) {
        // A stage in one go: LTAD's modules of phase 2 share their synthetic features, the most of the work.
        const int stage = left.front().part->stage;
        const auto end =
            std::find_if(left.begin(), left.end(), [&](const PlannedPart& p) { return p.part->stage != stage; });
        const auto parts = left.first(static_cast<std::size_t>(end - left.begin()));
        next(parts);
        make(parts);
        left = left.subspan(parts.size());
    }
    run_.write_config();  // no training has, where all parts were taken over
}

json RunTrainer::evaluate() {
    const auto detector = load_detector(run_, planned_.only);
    const Results results = ltad::evaluate(run_, *detector);
    check_inputs();  // masks were read
    write_results(run_, results);
    json document = sealed(to_json(results));
    if (std::filesystem::is_directory(planned_.results_file())) std::filesystem::remove_all(planned_.results_file());
    write_json(planned_.results_file(), document);
    return document;
}

bool RunTrainer::inputs_are_same() const { return Inputs(false).all(planned_.config) == planned_.inputs; }

void RunTrainer::check_inputs() const {
    if (!inputs_are_same())
        fail(planned_.config.dataset.root, " or ", planned_.config.encoder.path,
             ": something there has changed since this call began; call again");
}

void RunTrainer::make(std::span<const PlannedPart> parts) {
    for (const PlannedPart& part : parts) {
        const auto file = planned_.file_of(part);
        const json settings = part.part->settings(run_);
        remove_useless(file, settings);
        remove_useless(state_file_of(file), settings);
        take_over(part, settings);
    }
    try {
        method_.train(run_, parts.front().part->stage, planned_.only, {.resume = true, .from_shell = false});
        check_inputs();
    } catch (const Error&) {
        // What was trained on other pictures, finished or not, would be taken for this run's when they are back.
        if (!inputs_are_same())
            for (const PlannedPart& part : parts)
                for (const auto& file : {planned_.file_of(part), state_file_of(planned_.file_of(part))})
                    std::filesystem::remove(file);
        throw;
    }
    for (const PlannedPart& part : parts) index_.add(part, planned_.file_of(part));
}

/// Links the finished file of another run, where there is one and its settings are this run's: files are replaced,
/// never written to.
void RunTrainer::take_over(const PlannedPart& part, const json& settings) const {
    const auto target = planned_.file_of(part);
    const auto source = index_.find(part);
    if (!source || std::filesystem::exists(target)) return;
    if (!is_useful(*source, settings, "not taken over")) return;
    make_directories(target.parent_path());
    std::error_code code;
    std::filesystem::create_hard_link(*source, target, code);
    if (code && code != std::errc::file_exists)  // another process's
        write_file_atomically(target, MappedFile(*source).bytes());
}

}  // namespace ltad
