# patchbay_add_plugin(name sources...): a plugin as the host wants it - a module without prefix that
# exports patchbay_plugin_v1 and nothing else and has no undefined symbols. Sources in C alone get
# the C header, all others the C++ SDK. Link further libraries with target_link_libraries().
#
# PATCHBAY_PLUGIN_DIR     where the module is put (default: the current binary folder)
# PATCHBAY_STATIC_RUNTIME ON or OFF; default: a hidden static C++ runtime if the compiler is another
#                         than the host's, so that two runtimes never meet in one process
function(patchbay_add_plugin name)
    add_library(${name} MODULE ${ARGN})
    set_target_properties(${name} PROPERTIES
        PREFIX "" C_VISIBILITY_PRESET hidden CXX_VISIBILITY_PRESET hidden
        VISIBILITY_INLINES_HIDDEN ON CXX_EXTENSIONS OFF)
    if(PATCHBAY_PLUGIN_DIR)
        set_target_properties(${name} PROPERTIES
            LIBRARY_OUTPUT_DIRECTORY ${PATCHBAY_PLUGIN_DIR}
            RUNTIME_OUTPUT_DIRECTORY ${PATCHBAY_PLUGIN_DIR})
    endif()
    set(sources ${ARGN})
    list(FILTER sources EXCLUDE REGEX "\\.(c|h)$")
    if(sources)
        target_link_libraries(${name} PRIVATE Patchbay::sdk)
        target_compile_options(${name} PRIVATE
            $<$<COMPILE_LANG_AND_ID:CXX,GNU>:-fno-gnu-unique>)
    else()
        target_link_libraries(${name} PRIVATE Patchbay::abi)
    endif()
    patchbay_plugin_link_options_(${name} "${sources}")
endfunction()

# Private to this file. cxx_sources: empty for a plugin in C.
function(patchbay_plugin_link_options_ name cxx_sources)
    if(WIN32)
        # A DLL exports what is marked; nobody has the compiler's own DLLs at hand.
        target_link_options(${name} PRIVATE -static)
        return()
    endif()
    set(exports ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/plugin.map)
    target_link_options(${name} PRIVATE -Wl,--version-script=${exports})
    set_target_properties(${name} PROPERTIES LINK_DEPENDS ${exports})
    # A sanitizer's functions are the host's, not the plugin's.
    if(NOT PATCHBAY_SANITIZE AND NOT "${CMAKE_CXX_FLAGS} ${CMAKE_C_FLAGS}" MATCHES "-fsanitize=")
        target_link_options(${name} PRIVATE -Wl,-z,defs)
    endif()
    if(NOT cxx_sources)
        return()
    endif()
    if(NOT DEFINED PATCHBAY_STATIC_RUNTIME)
        set(PATCHBAY_STATIC_RUNTIME ON)
        if("${PATCHBAY_HOST_COMPILER}" STREQUAL "${CMAKE_CXX_COMPILER_ID} ${CMAKE_CXX_COMPILER_VERSION}"
           AND NOT CMAKE_CXX_FLAGS MATCHES "-stdlib=libc\\+\\+")
            set(PATCHBAY_STATIC_RUNTIME OFF)
        endif()
    endif()
    if(PATCHBAY_STATIC_RUNTIME)
        target_link_options(${name} PRIVATE -static-libstdc++ -static-libgcc -Wl,--exclude-libs,ALL)
        if(CMAKE_CXX_FLAGS MATCHES "-stdlib=libc\\+\\+")
            target_link_libraries(${name} PRIVATE -Wl,-Bstatic -lc++ -lc++abi -Wl,-Bdynamic)
        endif()
    endif()
endfunction()
