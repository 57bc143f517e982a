/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The commands of kmod under their own names: what lkmctl is when it is called so. */

/* Exit statuses of all of them, kmod's own. */
typedef enum ToolStatus {
        TOOL_DONE,
        TOOL_FAILED,
} ToolStatus;

typedef struct Tool {
        const char *name;               /* the last part of argv[0] */
        /* Return: a ToolStatus; negative errno, which is reported and becomes TOOL_FAILED. */
        int (*run)(int argc, char **argv);
} Tool;

const Tool *tool_find(const char *argv0);
int tool_run(const Tool *tool, int argc, char **argv);

int tool_insmod(int argc, char **argv);
int tool_lsmod(int argc, char **argv);
int tool_modinfo(int argc, char **argv);
int tool_rmmod(int argc, char **argv);
int tool_modprobe(int argc, char **argv);
