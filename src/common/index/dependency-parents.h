/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "common/index/module-table.h"

#define CLOSURE_TOP SIZE_MAX

/* For each dependency of a module: which other of them, by its place, is the first that needs it? */
int closure_parents(const IndexModule *module, size_t **ret);
