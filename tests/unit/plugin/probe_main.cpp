// SPDX-License-Identifier: Apache-2.0
// The probe's helper process, alone.
#include "plugin/probe.h"

int main(int count, char** arguments) {
    return count == 2 ? pb::plugin::run_probe(arguments[1]) : 2;
}
