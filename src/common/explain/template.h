/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdio.h>

/*
 * Template: a sentence with fields in braces, such as "{module} is in use". The callback writes the value of each
 * field.
 */
typedef void (*template_put_t)(FILE *f, const char *field, const void *userdata);

void template_print(FILE *f, const char *template, template_put_t put, const void *userdata);
int template_fill(const char *template, template_put_t put, const void *userdata, char **ret);
