#include "new_folder.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#include "ltad/core/error.h"
#include "ltad/core/files.h"
#include "ltad/core/interrupt.h"
#include "ltad/core/progress.h"

namespace ltad {
namespace {

/// An empty folder beside the final one that was not there before: what a killed process of the same number has left
/// must not get into this one's.
std::filesystem::path make_partial(const std::filesystem::path& target) {
    make_directories(target.parent_path());
    constexpr int most = 1000;
    for (int i = 0; i < most; ++i) {
        const std::filesystem::path partial = text(target.string(), ".part-", ::getpid(), i > 0 ? text('-', i) : "");
        std::error_code code;
        if (std::filesystem::create_directory(partial, code)) return partial;
        if (code) fail("cannot make the folder ", partial.string(), ": ", code.message());
    }
    fail(target.string(), ".part-", ::getpid(), "-*: there are too many of such folders; remove them");
}

}  // namespace

std::filesystem::path make_folder(const std::filesystem::path& out,
                                  const std::function<void(const std::filesystem::path&)>& write) {
    if (out.empty()) throw UsageError("--out: '' is not allowed (a folder to make)");
    // The current folder and a slash at the end have names, too.
    const auto whole = std::filesystem::absolute(out).lexically_normal();
    const auto target = whole.has_filename() ? whole : whole.parent_path();
    if (std::filesystem::exists(target) &&
        !(std::filesystem::is_directory(target) && std::filesystem::is_empty(target)))
        fail(target.string(), ": is there already and not an empty folder; choose another one, or remove it first");
    const auto partial = make_partial(target);
    try {
        write(partial);
        std::filesystem::remove(target);
        std::filesystem::rename(partial, target);
    } catch (...) {
        std::error_code ignored;
        std::filesystem::remove_all(partial, ignored);
        throw;
    }
    return target;
}

void draw_all(std::size_t count, const std::function<void(std::size_t)>& draw) {
    Progress progress("draw", count, "pictures");
    std::atomic<std::size_t> next = 0;
    std::mutex guard;
    std::exception_ptr failure;
    const auto work = [&] {
        for (std::size_t i; (i = next++) < count;) {
            try {
                if (interrupt_requested()) throw Interrupted("interrupted; nothing was kept");
                draw(i);
            } catch (...) {
                const std::lock_guard lock(guard);
                if (!failure) failure = std::current_exception();
                next = count;
                return;
            }
            const std::lock_guard lock(guard);
            progress.advance();
        }
    };
    {
        std::vector<std::jthread> workers;
        for (unsigned i = 0; i < std::max(1u, std::thread::hardware_concurrency()); ++i) workers.emplace_back(work);
    }
    if (failure) std::rethrow_exception(failure);
}

}  // namespace ltad
