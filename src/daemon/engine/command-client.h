/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <sys/types.h>
#include <systemd/sd-event.h>

#include "common/base/util.h"
#include "daemon/engine/loader-packet.h"

/* CommandClient: the manager's end of its connections to lkmd-command, one for each request. */
typedef struct CommandClient CommandClient;

int command_client_new(CommandClient **ret, sd_event *event, const char *address, loader_done_t done,
                       void *userdata);
CommandClient *command_client_free(CommandClient *c);
DEFINE_CLEANUP(CommandClient, command_client_free);

int command_client_send(CommandClient *c, const LoaderOrder *order);
pid_t command_client_get_process(const CommandClient *c, uint64_t id);
