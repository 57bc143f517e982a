/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cli/holders/subject.h"

/* StorageHolds: file systems, swap and block devices that use a module. */
int storage_holds_find(Subject *s);
