# SPDX-License-Identifier: Apache-2.0
# A folder under src/ is a library `nuclio_<name>` of its .cc files, a test `<name>_test` of its *_test.cc files, a fuzz
# target `<name>_<what>_fuzz` for each <what>_fuzz.cc and, when it has a main.cc, a program.
option(NUCLIO_TESTS "Build the unit tests" ON)
option(NUCLIO_FUZZ "Build the fuzz targets (clang only)" OFF)

# Two thirds of the time a file takes are spent on the headers that nearly all files include; they are parsed once for the
# libraries and once for their tests. Files still include what they use: clang-tidy reads them without this.
# Headers of ours stay out: a change of one would compile everything anew.
set(NUCLIO_PRECOMPILED
  <algorithm> <array> <charconv> <chrono> <coroutine> <cstdint> <deque> <expected> <filesystem> <fstream> <functional> <map>
  <memory> <optional> <set> <span> <sstream> <string> <string_view> <utility> <variant> <vector>
  <boost/json.hpp> <fmt/format.h>)
set(nothing ${CMAKE_BINARY_DIR}/generated/precompiled.cc)
file(CONFIGURE OUTPUT ${nothing} CONTENT "")
add_library(nuclio_precompiled OBJECT EXCLUDE_FROM_ALL ${nothing})
target_link_libraries(nuclio_precompiled PRIVATE fmt::fmt Boost::json)
target_precompile_headers(nuclio_precompiled PRIVATE ${NUCLIO_PRECOMPILED})
# Optimising a test takes longer than its run; the library that it tests is the one that ships.
set(NUCLIO_TEST_OPTIONS $<$<CONFIG:Release>:-O0> $<$<CONFIG:Release>:-U_FORTIFY_SOURCE>)
if(NUCLIO_TESTS)
  # A program, as tests are: what is compiled for a library (PIC) is not for a program (PIE).
  add_executable(nuclio_precompiled_tests EXCLUDE_FROM_ALL ${nothing})
  target_link_libraries(nuclio_precompiled_tests PRIVATE fmt::fmt Boost::json GTest::gmock GTest::gtest_main)
  target_precompile_headers(nuclio_precompiled_tests PRIVATE ${NUCLIO_PRECOMPILED} <gmock/gmock.h> <gtest/gtest.h>)
  target_compile_options(nuclio_precompiled_tests PRIVATE ${NUCLIO_TEST_OPTIONS})
endif()

# The compilers take precompiled headers only under the definitions they were compiled with.
function(nuclio_reuse_precompiled target from)
  target_precompile_headers(${target} REUSE_FROM ${from})
  target_compile_definitions(${target} PRIVATE $<TARGET_PROPERTY:${from},COMPILE_DEFINITIONS>)
endfunction()

# nuclio_fuzz(NAME SOURCE [DEPS libraries...]): NAME ends in _fuzz. With NUCLIO_FUZZ a program of libFuzzer; with
# NUCLIO_TESTS a test that runs the same code over test/corpora/<NAME>.hex, what fuzzing has found worth keeping.
function(nuclio_fuzz name source)
  cmake_parse_arguments(ARG "" "" "DEPS" ${ARGN})
  if(NUCLIO_FUZZ)
    add_executable(${name} ${source})
    target_link_libraries(${name} PRIVATE ${ARG_DEPS})
    target_link_options(${name} PRIVATE -fsanitize=fuzzer)
  endif()
  if(NUCLIO_TESTS)
    if(NOT TARGET nuclio_replay)
      add_library(nuclio_replay OBJECT ${CMAKE_SOURCE_DIR}/test/corpora/replay.cc)
      target_link_libraries(nuclio_replay PUBLIC GTest::gtest)
    endif()
    add_executable(${name}_replay ${source})
    target_link_libraries(${name}_replay PRIVATE nuclio_replay ${ARG_DEPS})
    add_test(NAME ${name}_replay COMMAND ${name}_replay ${CMAKE_SOURCE_DIR}/test/corpora/${name}.hex)
    set_tests_properties(${name}_replay PROPERTIES TIMEOUT 120)
  endif()
endfunction()

# nuclio_library(NAME [DEPS libraries...] [TEST_DEPS libraries...] [FUZZ_DEPS libraries...])
function(nuclio_library name)
  cmake_parse_arguments(ARG "" "" "DEPS;TEST_DEPS;FUZZ_DEPS" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS *.cc)
  file(GLOB_RECURSE tests CONFIGURE_DEPENDS *_test.cc)
  file(GLOB_RECURSE fuzzers CONFIGURE_DEPENDS *_fuzz.cc)
  list(REMOVE_ITEM sources ${tests} ${fuzzers} ${CMAKE_CURRENT_SOURCE_DIR}/main.cc)
  add_library(nuclio_${name} STATIC ${sources})
  target_include_directories(nuclio_${name} PUBLIC ${CMAKE_SOURCE_DIR}/src)
  target_link_libraries(nuclio_${name} PUBLIC ${ARG_DEPS})
  nuclio_reuse_precompiled(nuclio_${name} nuclio_precompiled)
  if(tests AND NUCLIO_TESTS)
    add_executable(${name}_test ${tests})
    target_link_libraries(${name}_test PRIVATE nuclio_${name} GTest::gmock GTest::gtest_main ${ARG_TEST_DEPS})
    target_compile_definitions(${name}_test PRIVATE
      NUCLIO_VECTORS="${CMAKE_SOURCE_DIR}/test/vectors" NUCLIO_SOURCE="${CMAKE_SOURCE_DIR}")
    target_compile_options(${name}_test PRIVATE ${NUCLIO_TEST_OPTIONS})
    nuclio_reuse_precompiled(${name}_test nuclio_precompiled_tests)
    add_test(NAME ${name} COMMAND ${name}_test)
    set_tests_properties(${name} PROPERTIES TIMEOUT 120)
  endif()
  foreach(fuzzer ${fuzzers})
    get_filename_component(what ${fuzzer} NAME_WE)
    nuclio_fuzz(${name}_${what} ${fuzzer} DEPS nuclio_${name} ${ARG_FUZZ_DEPS})
  endforeach()
endfunction()

# nuclio_program(NAME FOLDER-LIBRARY): main.cc of this folder.
function(nuclio_program name)
  add_executable(${name} main.cc)
  target_link_libraries(${name} PRIVATE nuclio_${name} ${ARGN})
endfunction()
