/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>

/*
 * NearestName: the name that a misspelled one was probably meant to be. A plain structure; names are borrowed and
 * offered one after the other. Of equally near ones the first wins.
 */
typedef struct NearestName {
        const char *text;               /* as it was typed */
        const char *name;               /* the nearest so far; NULL: none is near */
        size_t length;                  /* of text */
        size_t distance;                /* of name */
} NearestName;

void nearest_name_begin(NearestName *n, const char *text);
void nearest_name_offer(NearestName *n, const char *name);

/* @name: gives the names in turn, and NULL at their end */
const char *nearest_name(const char *text, const char *(*name)(size_t i));
const char *nearest_name_of(const char *text, const char *const *names, size_t n_names);
