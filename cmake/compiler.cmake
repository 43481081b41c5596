# SPDX-License-Identifier: Apache-2.0
# Warnings, hardening and the linker, for every target.
add_compile_options(-Wall -Wextra -Wno-missing-field-initializers -fstack-protector-strong -fno-omit-frame-pointer)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  add_compile_options($<$<COMPILE_LANGUAGE:CXX>:-fcoroutines>)
endif()
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  add_compile_options(-fcf-protection)
endif()
add_compile_definitions($<$<CONFIG:Debug>:_GLIBCXX_ASSERTIONS>)
if(CMAKE_BUILD_TYPE STREQUAL "Release")
  add_compile_options(-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
endif()
add_link_options(-Wl,-z,relro,-z,now)
# A program loads only the libraries that it calls: the processor is spared libcurl and the thirty others that it brings.
add_link_options(-Wl,--as-needed)

set(NUCLIO_SANITIZE "" CACHE STRING "Sanitizers for the whole build, as -fsanitize takes them")
if(NUCLIO_SANITIZE)
  add_compile_options(-fsanitize=${NUCLIO_SANITIZE} -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${NUCLIO_SANITIZE})
endif()
if(NUCLIO_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()

# ccache keeps no precompiled header with a date in it.
if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
  add_compile_options("$<$<COMPILE_LANGUAGE:CXX>:SHELL:-Xclang -fno-pch-timestamp>")
endif()

# mold links a test in a tenth of the time of ld; sanitizers need clang's own choice.
find_program(NUCLIO_MOLD mold)
if(NUCLIO_MOLD AND NOT NUCLIO_SANITIZE)
  add_link_options(-fuse-ld=mold)
endif()
