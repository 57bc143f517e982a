/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-json.h>

/*
 * Members of an object that lkmd wrote into a file. They have the type and the bounds of their field, and texts are
 * printable; of an object of which that is not true nothing is believed: a "uid" that is no number is not root's.
 *
 * All return 0; -EBADMSG: it is something else; -ENOMEM. What is absent is NULL, 0 and false.
 */

#define JSON_USEC_MAX 253402300799999999ULL /* the last one that dates of four digits know, in 9999 */
#define JSON_UID_MAX (UINT32_MAX - 1U)

int json_read_text(sd_json_variant *v, const char *name, char **ret);
int json_read_number(sd_json_variant *v, const char *name, uint64_t max, uint64_t *ret);
int json_read_flag(sd_json_variant *v, const char *name, bool *ret);
