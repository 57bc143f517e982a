/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <limits.h>
#include <sys/stat.h>

/*
 * PathTrace: the way that the kernel goes from a path to what it means. Whoever changes one of its hops changes what
 * the path means.
 */
typedef struct PathHop {
        const char *directory;          /* without links */
        const struct stat *directory_stat;
        const char *name;               /* that is looked up in it */
        const struct stat *stat;        /* of what has that name, a link for one; NULL: nothing has */
        const char *link;               /* where it leads, if it is one; else NULL */
} PathHop;

typedef int (*path_trace_hop_t)(const PathHop *hop, void *userdata); /* negative: go no further */

int path_trace(const char *path, path_trace_hop_t hop, void *userdata, char ret_path[static PATH_MAX],
               struct stat *ret_stat);
