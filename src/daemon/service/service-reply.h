/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <systemd/sd-varlink.h>

#include "common/base/util.h"
#include "common/index/index.h"
#include "daemon/config/obstacle.h"
#include "daemon/history/record.h"

/* ServiceReply: replies that more than one method sends. */

int reply_message(sd_varlink *link, const char *error_id, const char *hint, const char *format, ...)
        _printf_(4, 5);
int reply_unread(sd_varlink *link, const Problem *unread, const Obstacle *obstacle, const char *name);
int reply_no_such_module(sd_varlink *link, const Index *index, const char *name);
int send_progress(sd_varlink *link, const char *kind, const Record *record);
