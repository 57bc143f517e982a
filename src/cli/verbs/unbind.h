/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cli/print/output.h"
#include "common/base/util.h"

/* Unbind: devices that were taken from their drivers, and can be given back. */
typedef struct Unbound Unbound;

int unbind_devices(Output *out, char *const *modules, Unbound **ret);
void bind_again(Output *out, const Unbound *u);
Unbound *unbound_free(Unbound *u);
DEFINE_CLEANUP(Unbound, unbound_free);
