/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cli/notice/notice.h"
#include "common/base/util.h"

/* Desktop: the service of this session that shows notices, org.freedesktop.Notifications. */
typedef struct Desktop Desktop;

int desktop_new(Desktop **ret);
Desktop *desktop_free(Desktop *d);
DEFINE_CLEANUP(Desktop, desktop_free);

int desktop_show(Desktop *d, const Notice *n);
int desktop_escape(const char *text, char **ret);
