/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <systemd/sd-json.h>

#include "cli/print/output.h"

/*
 * What lkmctl exits with. A verb returns one of these, or a negative errno, which main() reports and turns into 1.
 */
typedef enum ExitStatus {
        STATUS_DONE,
        STATUS_FAILED,
        STATUS_USAGE,
        STATUS_DENIED,                  /* by the configuration */
        STATUS_NOT_REACHABLE,           /* the daemon */
        STATUS_NO_SUCH_MODULE,          /* and no such alias or device */
} ExitStatus;

/* Errors that lkmctl itself finds, named like those of the daemon. */
#define CLIENT_ERROR_USAGE "io.lkmd.Client.Usage"
#define CLIENT_ERROR_NOT_REACHABLE "io.lkmd.Client.NotReachable"
#define CLIENT_ERROR_DISCONNECTED "io.lkmd.Client.Disconnected"
#define CLIENT_ERROR_NO_ANSWER "io.lkmd.Client.NoAnswer"
#define CLIENT_ERROR_BAD_REPLY "io.lkmd.Client.BadReply"
#define CLIENT_ERROR_LOCAL "io.lkmd.Client.Local"

#define NO_SUCH_DEVICE_HINT "a path such as /sys/class/net/eth0 or /sys/bus/pci/devices/0000:00:02.0"

ExitStatus failure_print(Output *out, const char *error_id, sd_json_variant *fields);
ExitStatus failure_print_own(Output *out, const char *error_id, const char *hint, const char *format, ...)
        _printf_(4, 5);
ExitStatus failure_worse(ExitStatus a, ExitStatus b);
