/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>

#define KERNEL_ROOT_MAX 4096U
#define KERNEL_RELEASE_MAX 256U

/*
 * Which kernel a benchmark asks about: one with indexes below $LKMD_GUEST_ROOT, else one of this machine. "" is the root
 * of this machine. Return: false if there is none.
 */
bool kernel_find(char root[static KERNEL_ROOT_MAX], char release[static KERNEL_RELEASE_MAX]);
