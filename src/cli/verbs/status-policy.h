/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <systemd/sd-json.h>

#include "cli/print/output.h"

/* The policy in status; nothing for an lkmd without policy. */
void status_print_policy(const Output *out, sd_json_variant *status);
void status_print_policy_details(const Output *out, sd_json_variant *status);
bool status_policy_is_worrying(sd_json_variant *status);
