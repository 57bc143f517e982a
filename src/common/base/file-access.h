/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <dirent.h>
#include <sys/stat.h>

/*
 * FileAccess: reads files of the configuration and of modules. Those that this process may not read are opened by a
 * helper with more rights, if there is one; otherwise they are an error, -EACCES, and never "not there".
 */

/*
 * Return: a descriptor, open for reading, of a regular file or a directory; negative errno. @watch_fd: an inotify
 * descriptor, borrowed, that gets watches on the file and on the directories to it that not everybody may read;
 * -EBADF: none.
 */
typedef int (*file_access_helper_t)(const char *path, int watch_fd, void *userdata);

void file_access_set_helper(file_access_helper_t helper, void *userdata);

int file_access_open(const char *path);
int file_access_stat(const char *path, struct stat *ret);
DIR *file_access_opendir(const char *path);
char *file_access_realpath(const char *path);
int file_access_watch(const char *path, int watch_fd);
