/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * GatePins: where the gate is while nobody runs: LKMD_GATE_PIN_DIR in the bpf file system, root's alone, and in it a
 * directory for each layout. What is pinned there stays attached; removing the directory is what ends the gate.
 */

#include "daemon/privileged/gate/gate-pins.h"

#include <assert.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "common/base/paths.h"
#include "common/base/util.h"

#define PRIVATE_MODE 0700U

/* A directory that was there before is root's alone, too: nobody else can have made it. */
static int make_private(const char *path) {
        struct stat st;

        if (mkdir(path, PRIVATE_MODE) >= 0)
                return 0;
        if (errno != EEXIST)
                return -errno;
        if (lstat(path, &st) < 0)
                return -errno;
        return S_ISDIR(st.st_mode) && st.st_uid == geteuid() && (st.st_mode & 077U) == 0 ? 0 : -EPERM;
}

/**
 * gate_pins_make_dir() - make the directory of this layout
 * @root: LKMD_GATE_PIN_DIR, whose parent has to exist
 *
 * Return: 0, also if it exists; -EPERM if it is not a directory of root's alone; what mkdir(2) says.
 */
int gate_pins_make_dir(const char *root) {
        char path[GATE_PIN_SIZE];
        int r;

        assert(root && strlen(root) + sizeof("/" GATE_LAYOUT_DIR) <= sizeof(path));

        r = make_private(root);
        if (r < 0)
                return r;
        (void) stpcpy(stpcpy(path, root), "/" GATE_LAYOUT_DIR);
        return make_private(path);
}

/* The path of a map or link of this layout. The bpf file system refuses names with a dot. */
void gate_pin_path(char ret[static GATE_PIN_SIZE], const char *root, const char *kind, const char *name) {
        int n _unused_ = snprintf(ret, GATE_PIN_SIZE, "%s/" GATE_LAYOUT_DIR "/%s-%s", root, kind, name);

        assert(n > 0 && (size_t) n < GATE_PIN_SIZE);
}

/* Is anything of this layout pinned? */
bool gate_pins_exist(const char *root) {
        char path[GATE_PIN_SIZE];

        gate_pin_path(path, root, "link", "request");
        return access(path, F_OK) >= 0;
}

static int remove_all_in(int dir_fd) {
        _cleanup_(closedirp) DIR *dir = NULL;
        int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = 0;

        if (fd < 0)
                return -errno;
        dir = fdopendir(fd);
        if (!dir) {
                r = -errno;
                (void) close(fd);
                return r;
        }
        for (const struct dirent *entry; (entry = readdir(dir));)
                if (!streq(entry->d_name, ".") && !streq(entry->d_name, "..") &&
                    unlinkat(dir_fd, entry->d_name, 0) < 0)
                        r = -errno;
        return r;
}

static int remove_layout(int root_fd, const char *name) {
        _cleanup_(closep) int fd = openat(root_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        int r;

        if (fd < 0)
                return -errno;
        r = remove_all_in(fd);
        if (r < 0)
                return r;
        return unlinkat(root_fd, name, AT_REMOVEDIR) < 0 ? -errno : 0;
}

static bool is_meant(const char *name, GatePins which) {
        if (streq(name, ".") || streq(name, ".."))
                return false;
        return which == GATE_PINS_ALL || streq(name, GATE_LAYOUT_DIR) == (which == GATE_PINS_OWN);
}

/**
 * gate_pins_remove() - end the gate, or a part of it
 *
 * The directory goes too, if nothing is left in it.
 *
 * Return: 0, also if there is none; the last errno.
 */
int gate_pins_remove(const char *root, GatePins which) {
        _cleanup_(closedirp) DIR *dir = NULL;
        int r = 0;

        assert(root);

        dir = opendir(root);
        if (!dir)
                return errno == ENOENT ? 0 : -errno;
        for (const struct dirent *entry; (entry = readdir(dir));) {
                int q = is_meant(entry->d_name, which) ? remove_layout(dirfd(dir), entry->d_name) : 0;

                if (q < 0)
                        r = q;
        }
        if (rmdir(root) < 0 && errno != ENOTEMPTY)
                r = -errno;
        return r;
}
