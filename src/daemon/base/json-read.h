/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-json.h>

/*
 * Members of an object that lkmd wrote into a file. They must have the type and the bounds of their field, and
 * texts must be printable; otherwise the whole object is rejected: a "uid" that is not a number must not count as
 * root's.
 *
 * All return 0; -EBADMSG for another type or value; -ENOMEM. An absent member is NULL, 0 or false.
 */

#define JSON_USEC_MAX 253402300799999999ULL /* the end of the year 9999 */
#define JSON_UID_MAX (UINT32_MAX - 1U)

int json_read_text(sd_json_variant *v, const char *name, char **ret);
int json_read_number(sd_json_variant *v, const char *name, uint64_t max, uint64_t *ret);
int json_read_flag(sd_json_variant *v, const char *name, bool *ret);
