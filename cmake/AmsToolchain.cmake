# Compiler, linker and cache settings that every target shares.
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "" FORCE)
endif()
set(CMAKE_CXX_FLAGS_RELWITHDEBINFO "-O2 -g1")
set(CMAKE_CXX_FLAGS_SANITIZE "-O1 -g1")  # instrumented code: -O2 compiles longer and finds less

# Python with Debian's modules (cryptography, jsonschema), not whichever comes first on PATH.
find_program(AMS_PYTHON python3 PATHS /usr/bin NO_DEFAULT_PATH REQUIRED)

# ccache: results are shared between checkouts, because no absolute path enters an object file.
find_program(AMS_CCACHE ccache)
if(AMS_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER
      ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1
      CCACHE_SLOPPINESS=time_macros,include_file_ctime,include_file_mtime ${AMS_CCACHE})
endif()
add_compile_options(-ffile-prefix-map=${CMAKE_SOURCE_DIR}=.)

find_program(AMS_MOLD mold)
if(AMS_MOLD)
  add_link_options(-fuse-ld=mold)
endif()

# ThreadSanitizer does not model atomic_thread_fence, and gcc says so. Asio's operations are handed
# over under the scheduler's mutex besides, which it does model.
if(CMAKE_CXX_FLAGS MATCHES "-fsanitize=thread")
  add_compile_definitions(BOOST_ASIO_DISABLE_FENCED_BLOCK)
endif()

# Dependencies are SYSTEM includes, so these apply to our code alone.
set(AMS_WARNINGS -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # gcc 12 at -O2 reports impossible overflows inside libstdc++ (GCC bugs 105329, 105651).
  list(APPEND AMS_WARNINGS -Wno-restrict -Wno-stringop-overflow -Wno-stringop-overread
       -Wno-array-bounds -Wno-maybe-uninitialized -Wno-dangling-pointer)
  # A pimpl of anonymous-namespace types is sound in its .cpp; in a unity file gcc takes it for a
  # header.
  list(APPEND AMS_WARNINGS -Wno-subobject-linkage)
endif()

option(AMS_UNITY "Unity builds, the fast default; the `headers` preset turns them off" ON)
