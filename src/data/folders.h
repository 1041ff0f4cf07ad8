#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace ltad {

/// Names of the folders in a folder, sorted; hidden ones left out.
[[nodiscard]] std::vector<std::string> folders_in(const std::filesystem::path& folder);

/// Names of the pictures in a folder (by ending), sorted; hidden ones left out. Empty where there is no such folder.
[[nodiscard]] std::vector<std::string> pictures_in(const std::filesystem::path& folder);

/// The folder called `name` (small letters) in `folder`, in whatever case it is written there; empty where there is
/// none. Throws Error naming both where two differ by case alone.
[[nodiscard]] std::string folder_named(const std::filesystem::path& folder, const std::string& name);

/// Files of a data set that are not used, counted by class and reason, so that nobody has to find out by himself.
class PassedOver {
public:
    explicit PassedOver(std::filesystem::path root) : root_(std::move(root)) {}

    /// Where or what a file below a class's folder is, that it is not used ("masks of good pictures"); empty: it is
    /// none of ours. `path`: the parts of its path from the class's folder on.
    using ReasonOf = std::function<std::string(const std::vector<std::string>& path)>;

    /// Looks at everything below the class's folder that is not among `used` (paths from the root on); hidden files,
    /// and those that systems leave behind, are nobody's.
    void look_through(const std::string& class_name, const std::set<std::string>& used, const ReasonOf& reason_of);

    /// A warning for each class and reason: how many, an example, why.
    void say() const;

private:
    struct Found {
        std::size_t count = 0;
        std::string example;
    };

    void search(const std::string& class_name, const std::vector<std::string>& parts, const std::set<std::string>& used,
                const ReasonOf& reason_of, std::set<std::filesystem::path>& seen);

    std::filesystem::path root_;
    std::map<std::pair<std::string, std::string>, Found> found_;  // by class and reason
};

}  // namespace ltad
