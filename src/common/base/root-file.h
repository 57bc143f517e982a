/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* RootFile: files that only root can have written, at the end of paths that only root can have made. */

typedef int (*root_file_directory_t)(int fd, void *userdata); /* @fd: O_PATH, borrowed */

typedef struct RootFileRules {
        const char *root;               /* the directory that counts as "/"; NULL: "/" itself */
        uid_t owner;                    /* counts as root, too */
        bool strict;                    /* nor is /proc entered, and a sticky bit excuses no directory */
        root_file_directory_t directory; /* called with each on the way; NULL: none */
        void *userdata;
} RootFileRules;

int root_file_find_by(const RootFileRules *rules, const char *path);
int root_file_check_by(const RootFileRules *rules, int fd);

int root_file_trace(const char *path, root_file_directory_t directory, void *userdata);
int root_file_find(const char *path);
int root_file_check(int fd);
int root_file_reopen(int fd);
int root_file_read(const char *path, size_t size_max, char **ret, size_t *ret_size);
