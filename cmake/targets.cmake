# SPDX-License-Identifier: Apache-2.0
# A folder under src/ is a library `nuclio_<name>` of its .cc files, a test `<name>_test` of its *_test.cc files, a fuzz
# target `<name>_<what>_fuzz` for each <what>_fuzz.cc and, when it has a main.cc, a program.
option(NUCLIO_TESTS "Build the unit tests" ON)
option(NUCLIO_FUZZ "Build the fuzz targets (clang only)" OFF)

# nuclio_library(NAME [DEPS libraries...] [TEST_DEPS libraries...])
function(nuclio_library name)
  cmake_parse_arguments(ARG "" "" "DEPS;TEST_DEPS" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS *.cc)
  file(GLOB_RECURSE tests CONFIGURE_DEPENDS *_test.cc)
  file(GLOB_RECURSE fuzzers CONFIGURE_DEPENDS *_fuzz.cc)
  list(REMOVE_ITEM sources ${tests} ${fuzzers} ${CMAKE_CURRENT_SOURCE_DIR}/main.cc)
  add_library(nuclio_${name} STATIC ${sources})
  target_include_directories(nuclio_${name} PUBLIC ${CMAKE_SOURCE_DIR}/src)
  target_link_libraries(nuclio_${name} PUBLIC ${ARG_DEPS})
  if(tests AND NUCLIO_TESTS)
    add_executable(${name}_test ${tests})
    target_link_libraries(${name}_test PRIVATE nuclio_${name} GTest::gmock GTest::gtest_main ${ARG_TEST_DEPS})
    target_compile_definitions(${name}_test PRIVATE
      NUCLIO_VECTORS="${CMAKE_SOURCE_DIR}/test/vectors" NUCLIO_SOURCE="${CMAKE_SOURCE_DIR}")
    add_test(NAME ${name} COMMAND ${name}_test)
    set_tests_properties(${name} PROPERTIES TIMEOUT 120)
  endif()
  if(NUCLIO_FUZZ)
    foreach(fuzzer ${fuzzers})
      get_filename_component(what ${fuzzer} NAME_WE)
      add_executable(${name}_${what} ${fuzzer})
      target_link_libraries(${name}_${what} PRIVATE nuclio_${name})
      target_link_options(${name}_${what} PRIVATE -fsanitize=fuzzer)
    endforeach()
  endif()
endfunction()

# nuclio_program(NAME FOLDER-LIBRARY): main.cc of this folder.
function(nuclio_program name)
  add_executable(${name} main.cc)
  target_link_libraries(${name} PRIVATE nuclio_${name} ${ARGN})
endfunction()
