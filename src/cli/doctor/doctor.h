/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <limits.h>

#include "cli/call/run.h"
#include "cli/doctor/diagnosis.h"
#include "cli/reasons/why-not.h"

/*
 * Doctor: looks at all that decides about modules on this machine, and says who is in charge of what. Owns nothing.
 * Whatever lkmd has to say is not there while it does not run.
 */
typedef struct Doctor {
        Run *run;
        const char *root;               /* stands before /etc, /run, /usr and so on, for tests; "" */
        const char *image_reader;       /* the program lkmd-initramfs */
        const WhyNotAsker *asker;       /* this machine, its modules, its policy, and what lkmd says */
} Doctor;

/* Adds what it finds, or nothing if it does not apply to this machine. Return: 0; negative errno. */
typedef int (*check_t)(const Doctor *d, Diagnoses *ret);

void doctor_path(const Doctor *d, const char *path, char ret[static PATH_MAX]);
bool doctor_has(const Doctor *d, const char *path);
bool doctor_link(const Doctor *d, const char *path, char ret[static PATH_MAX]);
int doctor_read(const Doctor *d, const char *path, char **ret);
bool doctor_lkmd_runs(const Doctor *d);
