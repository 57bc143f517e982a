/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>

/* ModuleParameters: "name=value" or "name", one for each word of a command line. */
size_t module_parameter_name_length(const char *assignment);
/* @list: ends with NULL, may be NULL; @ret: NULL if there are none. Return: 0; -EINVAL; -E2BIG; -ENOMEM. */
int module_parameters_join(char *const *list, char **ret);
