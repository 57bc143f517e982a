/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "common/index/module-table.h"

#define DEPENDENCY_OF_MODULE SIZE_MAX

/* DependencyParents: for each dependency of a module, the first other one that needs it. */
int dependency_parents(const IndexModule *module, size_t **ret);
