/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <limits.h>
#include <sys/stat.h>

/*
 * PathTrace: the hops by which the kernel resolves a path. A change of one of them changes which file the
 * path means.
 */
typedef struct PathHop {
        const char *directory;          /* without links */
        const struct stat *directory_stat;
        const char *name;               /* looked up in the directory */
        const struct stat *stat;        /* of the file with that name, which may be a link; NULL: there is none */
        const char *link;               /* its target, if it is a link; else NULL */
} PathHop;

typedef int (*path_trace_hop_t)(const PathHop *hop, void *userdata); /* negative: go no further */

int path_trace(const char *path, path_trace_hop_t hop, void *userdata, char ret_path[static PATH_MAX],
               struct stat *ret_stat);
