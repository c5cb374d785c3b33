# SPDX-License-Identifier: Apache-2.0
# What tests on Node.js share: a test that installs the pinned packages once, as a fixture.
#
# include(${CMAKE_SOURCE_DIR}/tests/tools/node.cmake)
# patchbay_node_test(name LABEL label [TIMEOUT seconds] COMMAND script.mjs arguments...)
# The script can import the packages by name (packages.mjs) and start a host (host.mjs).
include_guard(GLOBAL)

set(PATCHBAY_NODE_DIR ${CMAKE_BINARY_DIR}/node CACHE PATH "Where the tests' Node.js packages go")
find_program(PATCHBAY_NPM npm)

if(PATCHBAY_NPM)
    add_test(NAME tools.node COMMAND ${CMAKE_CURRENT_LIST_DIR}/install ${PATCHBAY_NODE_DIR})
    set_tests_properties(tools.node PROPERTIES FIXTURES_SETUP node_tools LABELS "conformance;clients"
                         TIMEOUT 600)
else()
    message(STATUS "npm was not found: the tests on Node.js (conformance, clients) are left out")
endif()

function(patchbay_node_test name)
    cmake_parse_arguments(ARG "" "LABEL;TIMEOUT" "COMMAND" ${ARGN})
    if(NOT PATCHBAY_NPM)
        return()
    endif()
    if(NOT ARG_TIMEOUT)
        set(ARG_TIMEOUT 300)
    endif()
    add_test(NAME ${name} COMMAND ${PATCHBAY_NODE_DIR}/node_modules/.bin/node
             --import ${CMAKE_SOURCE_DIR}/tests/tools/packages.mjs ${ARG_COMMAND})
    set_tests_properties(${name} PROPERTIES FIXTURES_REQUIRED node_tools LABELS ${ARG_LABEL}
                         TIMEOUT ${ARG_TIMEOUT}
                         ENVIRONMENT "PATCHBAY_NODE_DIR=${PATCHBAY_NODE_DIR}")
endfunction()
