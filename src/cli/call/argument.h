/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <systemd/sd-json.h>

#include "cli/call/run.h"

int argument_to_name(Run *run, const char *argument, sd_json_variant **parameters, const char *field);
int arguments_to_parameters(Run *run, char **args, unsigned n_args, sd_json_variant **parameters);

/* Return: an ExitStatus; negative errno. */
typedef int (*argument_run_t)(Run *run, char **arg);
int arguments_run_each(Run *run, char **args, unsigned n_args, argument_run_t each);
