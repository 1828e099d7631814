# What is compiled with Objective-C's runtime of GCC: the fake Metal, the Metal device, their tests, and an addon whose Metal device runs on the fake.
get_filename_component(objc_include ${objc_folder} DIRECTORY)
get_filename_component(objc_library ${objc_include} DIRECTORY)
set(fake_folder ${CMAKE_BINARY_DIR}/metal_fake)
file(GLOB fake_sources CONFIGURE_DEPENDS native/metal_fake/*.mm native/metal_fake/*.cpp)
file(GLOB metal_sources CONFIGURE_DEPENDS native/host/metal/*.mm)
list(FILTER fake_sources EXCLUDE REGEX "_test\\.")
list(FILTER metal_sources EXCLUDE REGEX "_test[a-z_]*\\.")

set(WARPFS_METAL_OPTIONS "" CACHE STRING "more options for what is compiled here, such as those of coverage")

# Sets `objects` to what is compiled of these sources. CMake has no language for it: it would look for a compiler of Objective-C of its own.
function(objective_cxx objects)
  set(made)
  foreach(source ${ARGN})
    get_filename_component(name ${source} NAME_WE)
    set(object ${fake_folder}/${name}.o)
    set(language c++)
    if(source MATCHES "\\.mm$")
      set(language objective-c++ -fobjc-runtime=gcc -fblocks -I ${objc_include})
    endif()
    add_custom_command(OUTPUT ${object} DEPENDS ${source} DEPFILE ${object}.d
                       COMMAND ${CMAKE_COMMAND} -E make_directory ${fake_folder}
                       COMMAND ${WARPFS_OBJCXX} -x ${language} -std=c++20 -Wall -Wextra -Werror -O1 -g1 -fPIC -fvisibility=hidden -MD -MF ${object}.d
                               "-DWARPFS_SHADERS=\"${CMAKE_SOURCE_DIR}/native/shaders\"" -I ${CMAKE_SOURCE_DIR}/native/metal_fake/include
                               ${WARPFS_METAL_OPTIONS} -c -o ${object} ${source} VERBATIM)
    list(APPEND made ${object})
  endforeach()
  set(${objects} ${made} PARENT_SCOPE)
endfunction()

objective_cxx(fake_objects ${fake_sources})
objective_cxx(metal_objects ${metal_sources})
set(objc_libraries -L ${objc_library} -lobjc -lBlocksRuntime -lpthread -ldl)

foreach(name objects_test fake_metal_test fake_io_test probes_test)
  objective_cxx(test_object ${CMAKE_SOURCE_DIR}/native/metal_fake/${name}.mm)
  set(tested ${fake_objects})
  if(name STREQUAL probes_test)
    list(APPEND tested ${metal_objects})
  endif()
  add_custom_command(OUTPUT ${fake_folder}/${name} DEPENDS ${test_object} ${tested} warpfs_core
                     COMMAND ${WARPFS_OBJCXX} ${WARPFS_METAL_OPTIONS} -o ${fake_folder}/${name} ${test_object} ${tested} $<TARGET_FILE:warpfs_core> ${objc_libraries})
  add_custom_target(${name} DEPENDS ${fake_folder}/${name})
endforeach()

# Tests of the Metal device, on the fake.
foreach(name device_metal_test io_mtlio_test)
  objective_cxx(test_object ${CMAKE_SOURCE_DIR}/native/host/metal/${name}.mm)
  add_custom_command(OUTPUT ${fake_folder}/${name} DEPENDS ${test_object} ${metal_objects} ${fake_objects} warpfs_core
                     COMMAND ${WARPFS_OBJCXX} ${WARPFS_METAL_OPTIONS} -o ${fake_folder}/${name} ${test_object} ${metal_objects} ${fake_objects} $<TARGET_FILE:warpfs_core> ${objc_libraries}
                     COMMAND_EXPAND_LISTS)
  add_custom_target(${name} DEPENDS ${fake_folder}/${name})
endforeach()

# The objects come before the library: what that has in place of a Metal is then not taken.
set(fake_addon ${fake_folder}/warpfs.node)
add_custom_command(OUTPUT ${fake_addon} DEPENDS warpfs_addon ${metal_objects} ${fake_objects} warpfs_core
                   COMMAND ${WARPFS_OBJCXX} ${WARPFS_METAL_OPTIONS} -shared -o ${fake_addon} $<TARGET_OBJECTS:warpfs_addon> ${metal_objects} ${fake_objects} $<TARGET_FILE:warpfs_core> ${objc_libraries}
                   COMMAND_EXPAND_LISTS)
add_custom_target(warpfs_metal_fake DEPENDS ${fake_addon})
