# Compiles text files in: writes OUT with the functions of judge/data.h. Run at configure time.
set(AMS_EMBED_DIR ${CMAKE_BINARY_DIR}/conformance/embedded)
file(GLOB AMS_CASE_FILES CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/cases/*.json)
set(AMS_EMBED_INPUTS ${AMS_CASE_FILES} ${CMAKE_SOURCE_DIR}/reference/spec/errors.json
    ${CMAKE_SOURCE_DIR}/reference/spec/requirements.json
    ${CMAKE_CURRENT_SOURCE_DIR}/mutants/mutants.json)
add_custom_command(
  OUTPUT ${AMS_EMBED_DIR}/data.cpp
  COMMAND ${AMS_PYTHON} ${CMAKE_CURRENT_SOURCE_DIR}/embed.py ${AMS_EMBED_DIR}/data.cpp
          ${AMS_EMBED_INPUTS}
  DEPENDS ${AMS_EMBED_INPUTS} ${CMAKE_CURRENT_SOURCE_DIR}/embed.py)
