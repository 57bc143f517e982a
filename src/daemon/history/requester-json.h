/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <systemd/sd-json.h>

#include "daemon/history/requester.h"

/* RequesterJson: a process that asked as fields of the varlink type Requester, and back. */

/* Adds the fields to the object *v. Return: 0; -ENOMEM or what sd-json says. */
int requester_add_fields(const Requester *r, sd_json_variant **v);
/* *ret: NULL if no such field is there. Return: 0; -EBADMSG for something else than lkmd writes; -ENOMEM. */
int requester_from_fields(sd_json_variant *v, Requester **ret);
