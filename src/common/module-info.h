/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a module's file says of itself (modinfo). */
int module_info_parameters(const char *path, char ***ret);
void module_info_parameters_free(char **names);
