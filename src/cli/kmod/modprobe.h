/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "cli/kmod/modprobe-options.h"
#include "common/base/util.h"

/* Modprobe: one run of modprobe. What it does by itself it does by libkmod, with kmod's words and order. */

struct kmod_ctx;

typedef struct Modprobe {
        ModprobeOptions options;
        char *module_dir;               /* by -d and -S; NULL: that of the running kernel. Owned */
        struct kmod_ctx *ctx;           /* owned; NULL: not needed yet */
        bool ends;                      /* a fatal message was said: nothing further is done */
} Modprobe;

/* Return: 0; negative errno, which main() reports. */
int modprobe_open(Modprobe *m);

void modprobe_say(Modprobe *m, const char *format, ...) _printf_(2, 3);
bool modprobe_shows(const Modprobe *m);
bool modprobe_is_path(const char *name);

/* Each returns 0 or a negative errno, after saying why: status 0 or 1. */
int modprobe_show_config(Modprobe *m);
int modprobe_show_versions(Modprobe *m, const char *file);
int modprobe_show_exports(Modprobe *m, const char *file);
int modprobe_insert(Modprobe *m, const char *name, const char *parameters);
int modprobe_remove(Modprobe *m, const char *name);

/* What takes neither lkmd nor libkmod. Return: whether it was answered. */
bool modprobe_answer_soon(Modprobe *m, const char *name);
bool modprobe_depend_soon(Modprobe *m, const char *name, const char *parameters);
bool modprobe_files_are_sound(const char *directory);
