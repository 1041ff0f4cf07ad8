#include "ltad/repro/execute.h"

#include <algorithm>
#include <map>
#include <set>
#include <span>

#include "ltad/config/load.h"
#include "ltad/core/digits.h"
#include "ltad/core/error.h"
#include "ltad/core/interrupt.h"
#include "ltad/core/log.h"
#include "ltad/core/progress.h"
#include "ltad/core/visible.h"
#include "ltad/data/dataset.h"
#include "ltad/eval/table.h"
#include "ltad/repro/part_index.h"
#include "ltad/repro/time_left.h"
#include "run_trainer.h"

namespace ltad {
namespace {

/// The results of a run whose parts are evaluated as they are; else nothing. The run's folder is named by its settings.
std::optional<json> finished_results(const PlannedRun& run) {
    const auto file = run.results_file();
    if (!std::filesystem::exists(file)) return std::nullopt;
    for (const PlannedPart& part : run.parts)
        if (!std::filesystem::exists(run.file_of(part)) ||
            std::filesystem::last_write_time(run.file_of(part)) > std::filesystem::last_write_time(file))
            return std::nullopt;
    try {
        json results = read_json(file);
        check_seal(results);
        for (const char* key : {"mean", "classes", "gives_maps"}) (void)results.at(key);
        return results;
    } catch (const std::exception& error) {
        log_warning_once(text(file.string(), ": is damaged and made again (", words_of(error), ")"));
        return std::nullopt;
    }
}

std::int64_t training_pictures(const Config& config) {
    const Split split = config.split.path.empty() ? make_split(list_dataset(config.dataset), config.split, config.seed)
                                                  : read_split(config.split.path);
    return static_cast<std::int64_t>(split.train.size());
}

/// Seconds of a step by part and what shapes it, each measured once.
class StepTimes {
public:
    /// Of one part alone, or with what parts of its stage share.
    double of(const MethodPart& part, bool with_shared, const PlannedRun& run, std::int64_t pictures) {
        double seconds = look_once("own", part.step_seconds, part, run, pictures);
        if (with_shared && part.shared_seconds != nullptr)
            seconds += look_once("shared", part.shared_seconds, part, run, pictures);
        return seconds;
    }

private:
    double look_once(const char* what, double (*measure)(const Run&, std::int64_t), const MethodPart& part,
                     const PlannedRun& run, std::int64_t pictures) {
        const json shape = {what, part.file.generic_string(), pictures, picked(run.config, part.cost_keys),
                            picked(run.config, {"encoder", "dataset.image_size"})};
        const auto [found, is_new] = seconds_.try_emplace(shape.dump(), 0);
        if (interrupt_requested()) throw Interrupted("interrupted; nothing was trained yet");
        if (is_new) found->second = measure(Run(run.config), pictures);
        return found->second;
    }

    std::map<std::string, double> seconds_;
};

/// Says before each progress line how far the whole table is.
class Overall {
public:
    Overall(std::string title, std::size_t runs, const ReproWork& work)
        : title_(std::move(title)), runs_(runs), left_(work.seconds()) {
        frame_progress([this](double done, double done_before) { return frame(done, done_before); });
    }
    ~Overall() { frame_progress({}); }
    Overall(const Overall&) = delete;
    Overall& operator=(const Overall&) = delete;

    void begin_run(std::size_t run) { run_ = run; }
    void begin_training(double planned_seconds) { left_.begin_training(planned_seconds); }
    void end_training() { left_.end_training(); }
    void give_up_training(double planned_seconds_after_it) { left_.give_up_training(planned_seconds_after_it); }

private:
    [[nodiscard]] std::string frame(double done, double done_before) const {
        std::string line = text(title_, ", run ", run_ + 1, " of ", runs_);
        const double seconds = left_.seconds(done, done_before);
        if (seconds > 0) line += text(", ", format_duration(seconds), " of training left");
        return line + " | ";
    }

    std::string title_;
    std::size_t runs_;
    TimeLeft left_;
    std::size_t run_ = 0;
};

/// A message's further lines behind its first.
std::string in_one_line(std::string message) {
    for (std::size_t at; (at = message.find("\n  ")) != std::string::npos;) message.replace(at, 3, " ");
    return message;
}

std::string why_no_figure(const json& results, const TableColumn& column) {
    const auto& all = results.at("classes");
    if (column.task == "pixel" && !results.at("gives_maps").get<bool>()) return "the method scores whole pictures";
    if (column.subset != "all" && std::none_of(all.begin(), all.end(), [&](const json& c) {
            return c.at("group").get<std::string>() == column.subset;
        }))
        return text("no class is in the group ", column.subset);
    const std::string classes = column.subset == "all" ? "class" : "class of the group " + column.subset;
    return column.task == "pixel" ? text("no ", classes, " has masks")
                                  : text("no ", classes, " has both good and defective test pictures");
}

/// Whether a part is there and undamaged.
bool is_whole(const std::filesystem::path& file) {
    try {
        Metadata metadata;
        (void)load_checkpoint(file, metadata);
        return true;
    } catch (const Error&) {
        return false;
    }
}

/// Of a training that was interrupted.
std::int64_t steps_done(const std::filesystem::path& part) {
    const auto state = state_file_of(part);
    if (!std::filesystem::exists(state)) return 0;
    try {
        Metadata metadata;
        (void)load_checkpoint(state, metadata);
        return steps_in(metadata);
    } catch (const Error&) {
        return 0;  // it begins anew
    }
}

/// Whether a part of the same run and stage is to be trained already: what they share is counted there.
bool is_joined(const ReproWork& work, std::size_t run, const MethodPart& part) {
    return std::any_of(work.items.begin(), work.items.end(), [&](const ReproWork::Item& item) {
        return item.run == run && item.part.part->stage == part.stage;
    });
}

double planned_seconds(const ReproWork& work, std::size_t run, std::span<const PlannedPart> parts) {
    double seconds = 0;
    for (const ReproWork::Item& item : work.items)
        if (item.run == run && std::any_of(parts.begin(), parts.end(),
                                           [&](const PlannedPart& part) { return part.part == item.part.part; }))
            seconds += item.seconds;
    return seconds;
}

}  // namespace

double ReproWork::seconds() const {
    double sum = 0;
    for (const Item& item : items) sum += item.seconds;
    return sum;
}

ReproWork survey(const ReproPlan& plan, const std::filesystem::path& root) {
    const PartIndex index(root);
    StepTimes times;
    ReproWork work;
    std::set<std::string> coming;
    for (std::size_t r = 0; r < plan.runs.size(); ++r) {
        const PlannedRun& run = plan.runs[r];
        work.no_data.emplace_back();
        if (!run.refused.empty()) continue;
        if (!std::filesystem::is_directory(run.config.dataset.root)) {
            work.no_data.back() = run.config.dataset.root + " is not there";
            continue;
        }
        if (finished_results(run)) {
            ++work.finished_runs;
            work.reused += run.parts.size();
            continue;
        }
        const std::int64_t pictures = training_pictures(run.config);
        for (const PlannedPart& part : run.parts) {
            if (is_whole(run.file_of(part)) || is_whole(index.find(part).value_or("")) ||
                !coming.insert(part.key).second) {
                ++work.reused;
                continue;
            }
            const std::int64_t all = part.part->steps(run.config, pictures);
            const std::int64_t steps = all - std::min(all, steps_done(run.file_of(part)));
            double seconds = 0;
            try {
                seconds = times.of(*part.part, !is_joined(work, r, *part.part), run, pictures);
            } catch (const Interrupted&) {
                throw;
            } catch (const Error& error) {
                log_warning(text(run.label, ": ", error.what()));
            }
            work.items.push_back({r, part, steps, static_cast<double>(steps) * seconds});
        }
    }
    return work;
}

std::string describe(const ReproPlan& plan, const ReproWork& work) {
    std::vector<const MethodPart*> order;
    for (const Method& method : methods())
        for (const MethodPart& part : method.parts) order.push_back(&part);
    TableRows rows{{"to train", "parts", "steps", "time"}};
    for (const MethodPart* part : order) {
        std::size_t count = 0;
        std::int64_t steps = 0;
        double seconds = 0;
        for (const ReproWork::Item& item : work.items) {
            if (item.part.part != part) continue;
            ++count;
            steps += item.steps;
            seconds += item.seconds;
        }
        if (count > 0)
            rows.push_back({part->name, std::to_string(count), std::to_string(steps), format_duration(seconds)});
    }
    rows.push_back({"all", std::to_string(work.items.size()), "", format_duration(work.seconds())});
    std::string out = text(counted(plan.runs.size(), "run"), ", ", work.finished_runs, " finished; ",
                           counted(work.reused, "part"), " reused\n");
    std::size_t absent = 0;
    for (const std::string& why : work.no_data) absent += why.empty() ? 0 : 1;
    if (absent > 0)
        out += text(
            counted(absent, "run"), " without data: ",
            visible(*std::find_if(work.no_data.begin(), work.no_data.end(), [](const auto& w) { return !w.empty(); })),
            "; --set dataset.root=DIR says where they are, --config F takes data of one's own\n");
    for (const PlannedRun& run : plan.runs)
        if (!run.refused.empty()) out += text(run.label, " cannot run: ", visible(run.refused), "\n");
    return out + format_rows(rows, 1, 1);
}

std::vector<RunOutcome> execute(const ReproPlan& plan, const ReproWork& work, const std::filesystem::path& root,
                                const std::string& title, bool verify_features) {
    const PartIndex index(root);
    Overall overall(title, plan.runs.size(), work);
    std::vector<RunOutcome> outcomes(plan.runs.size());
    for (std::size_t r = 0; r < plan.runs.size(); ++r) {
        const PlannedRun& run = plan.runs[r];
        RunOutcome& outcome = outcomes[r];
        outcome.why = run.refused;
        outcome.absent = !work.no_data[r].empty();
        if (!outcome.why.empty() || outcome.absent) continue;
        outcome.results = finished_results(run);
        if (outcome.results) continue;
        log_info(text(title, ", run ", r + 1, " of ", plan.runs.size(), ": ", run.label, " in ", run.config.output));
        std::span<const PlannedPart> not_begun(run.parts);
        const auto failed = [&](const std::string& why) {
            overall.give_up_training(planned_seconds(work, r, not_begun));
            log_error(text(run.label, ": ", why));
            outcome.why = visible(in_one_line(why));  // as it is shown, in JSON too
        };
        try {
            overall.begin_run(r);
            RunTrainer trainer(run, index);
            trainer.train(verify_features, [&](auto parts) {
                overall.begin_training(planned_seconds(work, r, parts));
                not_begun = not_begun.subspan(parts.size());
            });
            overall.end_training();
            outcome.results = trainer.evaluate();
        } catch (const Interrupted&) {
            throw Interrupted("interrupted; what is finished is kept, and the same call goes on from there");
        } catch (const std::filesystem::filesystem_error& error) {
            failed(text(error.path1().string(), ": ", error.code().message()));
        } catch (const std::exception& error) {
            failed(words_of(error));
        }
    }
    return outcomes;
}

CellGrid read_cells(const ReproTable& table, const ReproPlan& plan, const std::vector<RunOutcome>& outcomes) {
    CellGrid cells(table.rows.size(), std::vector<CellValues>(table.columns.size()));
    for (std::size_t r = 0; r < table.rows.size(); ++r)
        for (std::size_t c = 0; c < table.columns.size(); ++c)
            for (const std::size_t run : plan.cells[r][c]) {
                const RunOutcome& outcome = outcomes[run];
                CellValues& cell = cells[r][c];
                if (!outcome.results) {
                    if (!outcome.absent && cell.why_empty.empty()) cell.why_empty = outcome.why;
                    continue;
                }
                const TableColumn& column = table.columns[c];
                const json& value =
                    outcome.results->at("mean").at(column.subset).at(table.rows[r].score).at(column.task + "_auroc");
                if (value.is_number()) {
                    cell.seeds.push_back(100 * value.get<double>());
                    cell.runs.push_back(plan.runs[run].config.output);
                } else if (cell.why_empty.empty()) {
                    cell.why_empty = why_no_figure(*outcome.results, column);
                }
            }
    return cells;
}

}  // namespace ltad
