/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <systemd/sd-json.h>

#include "cli/print/output.h"

/* What status says of the policy. Nothing for an lkmd that has none. */
void status_print_policy(const Output *out, sd_json_variant *status);
void status_print_policy_details(const Output *out, sd_json_variant *status);
bool status_policy_is_worrying(sd_json_variant *status);
