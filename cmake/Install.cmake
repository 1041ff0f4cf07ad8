# Install and export: find_package(ltad) gives ltad::ltad (everything) and ltad::base (no LibTorch).
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

get_property(commands GLOBAL PROPERTY LTAD_COMMANDS)
set_target_properties(${commands} PROPERTIES INSTALL_RPATH "${LTAD_TORCH_LIBRARY_DIR}")
install(TARGETS ${commands} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(TARGETS ltad_base ltad EXPORT ltad-targets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY include/ltad DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/ltad)
install(EXPORT ltad-targets NAMESPACE ltad:: DESTINATION ${package_dir})
configure_package_config_file(cmake/ltad-config.cmake.in ltad-config.cmake INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(ltad-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES cmake/SystemLibraries.cmake cmake/Torch.cmake
  ${PROJECT_BINARY_DIR}/ltad-config.cmake ${PROJECT_BINARY_DIR}/ltad-config-version.cmake
  DESTINATION ${package_dir})
