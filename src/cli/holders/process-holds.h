/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cli/holders/subject.h"

/* ProcessHolds: the name spaces of processes, and the processes that use a module by what they have open. */
int process_spaces_find(Subject *s);
int process_holds_find(Subject *s);
int process_socket_protocol(const char *path, char *ret, size_t size);
