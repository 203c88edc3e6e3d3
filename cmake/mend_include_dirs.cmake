# Two things CMake refuses in a ROS that came as Python wheels; nothing changes on any other ROS.
# Runs at the end of the configuration.
# - The wheels record include folders of the machine they were built on in their imported targets
#   (<package>__rosidl_generator_py): those that do not exist are taken out.
# - NumPy's headers lie in a virtual environment inside this very checkout, and an exported target
#   must not point into its own sources: they are kept for the build alone.

function(headpose_mend_include_dirs)
  get_property(imported DIRECTORY PROPERTY IMPORTED_TARGETS)
  get_property(own DIRECTORY PROPERTY BUILDSYSTEM_TARGETS)
  foreach(target IN LISTS imported own)
    get_target_property(folders ${target} INTERFACE_INCLUDE_DIRECTORIES)
    if(NOT folders)
      continue()
    endif()
    set(mended "")
    foreach(folder IN LISTS folders)
      string(FIND "${folder}" "${CMAKE_CURRENT_SOURCE_DIR}/" position)
      if(folder MATCHES "\\$<")
        list(APPEND mended "${folder}")
      elseif(target IN_LIST own AND position EQUAL 0)
        list(APPEND mended "$<BUILD_INTERFACE:${folder}>")
      elseif(EXISTS "${folder}" OR NOT target IN_LIST imported)
        list(APPEND mended "${folder}")
      endif()
    endforeach()
    if(NOT "${mended}" STREQUAL "${folders}")
      set_target_properties(${target} PROPERTIES INTERFACE_INCLUDE_DIRECTORIES "${mended}")
    endif()
  endforeach()
endfunction()
cmake_language(DEFER CALL headpose_mend_include_dirs)
