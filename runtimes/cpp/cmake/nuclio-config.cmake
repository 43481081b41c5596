# SPDX-License-Identifier: Apache-2.0
# find_package(nuclio) in the CMake project of a function:
#
#   find_package(nuclio REQUIRED)
#   nuclio_function(handler handler.cc)
#   target_link_libraries(handler PRIVATE ...)
#
# nuclio::sdk is the headers alone.
get_filename_component(NUCLIO_INCLUDE_DIR "${CMAKE_CURRENT_LIST_DIR}/../include" ABSOLUTE)

if(NOT TARGET nuclio::sdk)
  add_library(nuclio::sdk INTERFACE IMPORTED)
  set_target_properties(nuclio::sdk PROPERTIES INTERFACE_INCLUDE_DIRECTORIES "${NUCLIO_INCLUDE_DIR}"
                                               INTERFACE_COMPILE_FEATURES cxx_std_17)
endif()

# nuclio_function(TARGET [SOURCES] files...): the shared object that is the function, handler.so.
function(nuclio_function target)
  cmake_parse_arguments(ARG "" "" "SOURCES" ${ARGN})
  add_library(${target} MODULE ${ARG_UNPARSED_ARGUMENTS} ${ARG_SOURCES})
  target_link_libraries(${target} PRIVATE nuclio::sdk)
  set_target_properties(${target} PROPERTIES PREFIX "" OUTPUT_NAME handler CXX_VISIBILITY_PRESET hidden
                                             VISIBILITY_INLINES_HIDDEN ON)
endfunction()
