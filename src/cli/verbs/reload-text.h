/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <systemd/sd-json.h>

#include "cli/print/output.h"

/* ReloadText: what lkmd answers when it has read its files again. */
void reload_print(const Output *out, sd_json_variant *reply);
