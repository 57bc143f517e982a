/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdio.h>
#include <systemd/sd-json.h>

/* Metrics: the reply of Status for time series. */

int metrics_of_status(sd_json_variant *status, sd_json_variant **ret);
void metrics_print(FILE *f, sd_json_variant *metrics);
