/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cli/call/run.h"

int status_of_module(Run *run, const char *name);
