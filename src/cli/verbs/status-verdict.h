/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <systemd/sd-json.h>

#include "cli/print/output.h"

/*
 * StatusVerdict: the first line of status, which says whether all is well, and the last, which says what to do next.
 */

void status_print_verdict(const Output *out, sd_json_variant *status);
void status_print_next(const Output *out, sd_json_variant *status);
