/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>

#include "cli/kmod/modprobe.h"

struct kmod_module;

/*
 * ModprobeAsk: loads and removals by lkmd, if it runs and they are about this kernel.
 */

/* Return: false: lkmd does not do it. true: it was done or refused; *ret is 0 or a negative errno, which was said. */
bool modprobe_ask_load(Modprobe *m, const char *name, int *ret);
bool modprobe_ask_unload(Modprobe *m, const char *name, int *ret);

/* For loads by libkmod. Return: 0: they may be; 1 or negative errno: refused, which was said; 1: with status 0. */
int modprobe_judge(Modprobe *m, struct kmod_module *module, unsigned flags);

/* The sentence of kmod for what the kernel said. @error: negative errno */
void modprobe_say_failure(const char *module, int error);
