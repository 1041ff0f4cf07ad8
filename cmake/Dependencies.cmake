# What the project needs; third_party/README.md says which versions and where from. Installed packages come first,
# FetchContent where a system lacks one of the small libraries.
include(FetchContent)

set(CMAKE_THREAD_PREFER_PTHREAD ON)
find_package(Threads REQUIRED)
find_package(OpenSSL 3 REQUIRED COMPONENTS Crypto)
include(${CMAKE_CURRENT_LIST_DIR}/SystemLibraries.cmake)

FetchContent_Declare(nlohmann_json GIT_REPOSITORY https://github.com/nlohmann/json GIT_TAG v3.11.2
  FIND_PACKAGE_ARGS 3.10)
FetchContent_Declare(CLI11 GIT_REPOSITORY https://github.com/CLIUtils/CLI11 GIT_TAG v2.1.2
  FIND_PACKAGE_ARGS 2.1)
FetchContent_Declare(spdlog GIT_REPOSITORY https://github.com/gabime/spdlog GIT_TAG v1.10.0
  FIND_PACKAGE_ARGS 1.8)
# What is fetched is installed with us.
set(JSON_Install ON)
set(SPDLOG_INSTALL ON)
set(CLI11_INSTALL ON)
set(packages nlohmann_json CLI11 spdlog)
if(LTAD_BUILD_TESTS)
  FetchContent_Declare(GTest GIT_REPOSITORY https://github.com/google/googletest GIT_TAG release-1.12.1
    FIND_PACKAGE_ARGS 1.11)
  list(APPEND packages GTest)
endif()
FetchContent_MakeAvailable(${packages})

find_package(OpenMP REQUIRED COMPONENTS CXX)
# LibTorch: what CMAKE_PREFIX_PATH says, else what scripts/setup.sh has put into .deps.
file(GLOB ltad_torch_hints ${CMAKE_CURRENT_LIST_DIR}/../.deps/torch-*/torch)
list(SORT ltad_torch_hints COMPARE NATURAL ORDER DESCENDING)
include(${CMAKE_CURRENT_LIST_DIR}/Torch.cmake)
if(LTAD_TORCH_PROBLEM)
  message(FATAL_ERROR "${LTAD_TORCH_PROBLEM}")
endif()
message(STATUS "LibTorch ${LTAD_TORCH_VERSION} in ${LTAD_TORCH_LIBRARY_DIR}, CUDA ${LTAD_TORCH_CUDA}")
