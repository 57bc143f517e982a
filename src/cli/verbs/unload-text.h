/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <systemd/sd-json.h>

#include "cli/print/output.h"

/* UnloadText: plans of removals for people. Everything is escaped. */

int print_unload_plan(const Output *out, sd_json_variant *reply);
void print_unload_stays(const Output *out, sd_json_variant *reply);
