/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Values of options, from the command line into the fields of Run that commands.inc gives them. @value is borrowed
 * for as long as Run lives; NULL where there is none. Return: 0; -EINVAL: the value is none of these; -ENOMEM.
 */
int value_to_flag(void *field, const char *value);          /* bool */
int value_to_group_by(void *field, const char *value);      /* GroupBy */
int value_to_boot(void *field, const char *value);          /* OptionalInteger */
int value_to_text(void *field, const char *value);          /* const char * */
int value_to_nonempty_text(void *field, const char *value); /* const char * */
int value_to_single_text(void *field, const char *value);   /* const char *, not empty, and only once */
int value_to_sentence(void *field, const char *value);      /* const char *, not only blanks */
int value_to_paths(void *field, const char *value);         /* PathList */
int value_to_host(void *field, const char *value);          /* const char * */
int value_to_json_mode(void *field, const char *value);     /* JsonMode */
int value_to_colour_mode(void *field, const char *value);
int value_to_theme(void *field, const char *value);         /* unsigned: 0 auto, 1 light, 2 dark, as SvgTheme */
int value_to_origin(void *field, const char *value);        /* OptionalNumber: RequestOrigin */
int value_to_uid(void *field, const char *value);           /* OptionalNumber */
int value_to_seconds(void *field, const char *value);       /* OptionalNumber: microseconds */
int value_to_time_span(void *field, const char *value);     /* uint64_t: microseconds, not 0 */
int value_to_since(void *field, const char *value);         /* uint64_t: CLOCK_REALTIME, microseconds; 0: boot */
