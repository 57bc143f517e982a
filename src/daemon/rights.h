/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <systemd/sd-varlink.h>

/* Who may call what. */
int rights_check(sd_varlink *link, const char *method);
