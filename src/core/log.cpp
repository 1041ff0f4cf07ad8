#include "ltad/core/log.h"

#include <memory>
#include <mutex>
#include <set>

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include "ltad/core/visible.h"

namespace ltad {
namespace {

spdlog::logger& logger() {
    static const std::shared_ptr<spdlog::logger> instance = [] {
        auto made = std::make_shared<spdlog::logger>("ltad", std::make_shared<spdlog::sinks::stderr_color_sink_mt>());
        made->set_pattern("[%H:%M:%S] %^%l%$: %v");
        made->flush_on(spdlog::level::info);
        return made;
    }();
    return *instance;
}

}  // namespace

// The message is an argument, never the format: braces in a file name must not be interpreted.
void log_info(std::string_view message) { logger().info("{}", visible_message(message)); }
void log_warning(std::string_view message) { logger().warn("{}", visible_message(message)); }
void log_error(std::string_view message) { logger().error("{}", visible_message(message)); }

void log_warning_once(const std::string& message) {
    static std::mutex guard;
    static std::set<std::string> said;
    const std::lock_guard lock(guard);
    if (said.insert(message).second) log_warning(message);
}

}  // namespace ltad
