/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * GateOff: reasons for which there is no gate and nobody has to do anything about it. They are left in a file, a
 * sentence each, where lkmd and lkmctl find them.
 */

#include "daemon/privileged/gate/gate-off.h"

#include <assert.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/statfs.h>

#include "common/base/read-file.h"
#include "common/base/util.h"
#include "common/words/kernel-command-line.h"

#define FILE_MAX (64U << 10)
#define BPF_DIR "/sys/fs/bpf"
#define BTF_FILE "/sys/kernel/btf/vmlinux"
#define LOCKDOWN_FILE "/sys/kernel/security/lockdown"
#define MODULES_DISABLED_FILE "/proc/sys/kernel/modules_disabled"

/* Return: 0 with the text of the file, or why there is none. */
static int read_text(const char *root, const char *path, char **ret) {
        _cleanup_(freep) char *full = NULL;
        _cleanup_(closep) int fd = -EBADF;
        size_t size;

        if (asprintf(&full, "%s%s", root, path) < 0)
                return -ENOMEM;
        fd = open(full, O_RDONLY | O_CLOEXEC);
        return fd < 0 ? -errno : read_file(fd, FILE_MAX, ret, &size);
}

static bool contains(const char *root, const char *path, const char *word) {
        _cleanup_(freep) char *text = NULL;

        return read_text(root, path, &text) >= 0 && strstr(text, word);
}

static bool is_there(const char *root, const char *path) {
        _cleanup_(freep) char *full = NULL;

        return asprintf(&full, "%s%s", root, path) >= 0 && access(full, F_OK) >= 0;
}

static int is_switched_off(const char *root) {
        _cleanup_(freep) char *text = NULL, *value = NULL;
        int r;

        r = read_text(root, KERNEL_COMMAND_LINE_FILE, &text);
        if (r >= 0)
                r = kernel_command_line_find(text, "lkmd.gate", &value);
        if (r < 0)
                return r;
        return value && (streq(value, "off") || streq(value, "0") || streq(value, "no"));
}

static bool is_bpf_mounted(const char *root) {
        struct statfs fs;

        return *root || (statfs(BPF_DIR, &fs) >= 0 && fs.f_type == BPF_FS_MAGIC);
}

/**
 * gate_why_off() - is the gate unwanted or impossible here?
 * @root: prefix of all paths, for tests; ""
 * @ret:  the reason, to stand behind "off: ", or NULL; static
 *
 * Return: 0; what reading the kernel command line says.
 */
int gate_why_off(const char *root, const char **ret) {
        int r;

        assert(root && ret);

        r = is_switched_off(root);
        if (r < 0)
                return r;
        *ret = r > 0 ? "lkmd.gate=off is on the kernel command line"
               : !is_there(root, BTF_FILE)
                       ? "this kernel does not describe its types (no BTF, CONFIG_DEBUG_INFO_BTF)"
               : contains(root, LOCKDOWN_FILE, "[confidentiality]")
                       ? "lockdown=confidentiality does not let programs look at the kernel"
               : contains(root, MODULES_DISABLED_FILE, "1")
                       ? "no module can enter this kernel, kernel.modules_disabled is 1"
               : !is_bpf_mounted(root)                      ? "no bpf file system is mounted on " BPF_DIR
                                       : NULL;
        return 0;
}

/**
 * gate_write_off() - leave the reason where others find it
 * @reason: NULL if there is a gate: then no file is left
 *
 * Return: 0 or why it cannot be written.
 */
int gate_write_off(const char *path, const char *reason) {
        _cleanup_(closep) int fd = -EBADF;
        size_t size;

        assert(path);

        if (!reason)
                return unlink(path) < 0 && errno != ENOENT ? -errno : 0;
        fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);
        if (fd < 0)
                return -errno;
        size = strlen(reason);
        return fchmod(fd, 0644) < 0 || write(fd, reason, size) != (ssize_t) size || write(fd, "\n", 1) != 1
                       ? -EIO
                       : 0;
}
