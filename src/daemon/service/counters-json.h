/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <systemd/sd-json.h>

#include "daemon/history/counters.h"

/* CountersJson: the counters as types of the varlink interface. */

int describe_counters(const Counters *c, sd_json_variant **ret);
int describe_phases(const Counters *c, sd_json_variant **ret);
