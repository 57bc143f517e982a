/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A mount namespace in which what lkmd-reader opens is empty and the test's own: /etc/modprobe.d, /etc/lkmd,
 * /etc/udev and /lib/modules; and a place beside them, READER_ELSEWHERE. For a test that runs as root.
 */
#define READER_ELSEWHERE "/mnt"

void reader_bench_mount(void);

/* A file, directory or link for a test, made with all rights of root. Directories to it exist. */
void reader_bench_file(const char *path, const char *text, unsigned mode);
void reader_bench_directory(const char *path, unsigned mode);
void reader_bench_link(const char *path, const char *target);

/*
 * Runs a function in a process of another user, which has a RootReader whose lkmd-reader is a thread of root's, on the
 * loop that it gets. Aborts if the function does.
 */
void reader_bench_run(void (*run)(void *event), const char *socket_path);

/* For that function: has root run a command of the shell, and returns when it has. */
void reader_bench_do(const char *command);
