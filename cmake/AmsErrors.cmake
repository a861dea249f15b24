# base/code.h's enum comes from the spec's error registry: one list for the text and for the code.
set(AMS_GEN_DIR ${CMAKE_BINARY_DIR}/view/base_gen)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS
             ${CMAKE_SOURCE_DIR}/reference/spec/errors.json ${CMAKE_SOURCE_DIR}/tools/gen_errors.py)
execute_process(
  COMMAND ${AMS_PYTHON} ${CMAKE_SOURCE_DIR}/tools/gen_errors.py
          ${CMAKE_SOURCE_DIR}/reference/spec/errors.json ${AMS_GEN_DIR}/base_gen
  COMMAND_ERROR_IS_FATAL ANY)
add_library(ams_generated INTERFACE)
target_include_directories(ams_generated INTERFACE ${AMS_GEN_DIR})
