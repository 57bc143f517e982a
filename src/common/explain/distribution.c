/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Distribution: which one this is, by os-release(5), and what its package tool is called for each task that a hint
 * may ask for. Owns nothing.
 */

#include "common/explain/distribution.h"

#include <assert.h>

#include "common/base/read-file.h"
#include "common/base/util.h"

#define OS_RELEASE_MAX 65536U

static const struct {
        const char *id;
        Distribution distribution;
} ids[] = {
        { "debian", DISTRIBUTION_DEBIAN },
        { "ubuntu", DISTRIBUTION_UBUNTU },
        { "fedora", DISTRIBUTION_FEDORA },
        { "rhel", DISTRIBUTION_FEDORA },
        { "centos", DISTRIBUTION_FEDORA },
        { "suse", DISTRIBUTION_SUSE },
        { "opensuse", DISTRIBUTION_SUSE },
        { "sles", DISTRIBUTION_SUSE },
        { "arch", DISTRIBUTION_ARCH },
};

/* {module} and {1} are filled in by error-text. Only Debian and its descendants have kmodsign. */
#define SIGN_FILE "/lib/modules/$(uname -r)/build/scripts/sign-file sha256 KEY CERT FILE"
#define RPM_OWNER "rpm -qf $(modinfo -n {module})"

static const char *const hints[_DISTRIBUTION_MAX][_PACKAGE_TASK_MAX] = {
        [DISTRIBUTION_UNKNOWN] = {
                [PACKAGE_OWNER] = "modinfo -n {module}",
                [PACKAGE_REINSTALL] = "reinstall the package with the modules of the kernel $(uname -r)",
                [PACKAGE_REBUILD] = "rebuild it for this kernel, with the headers of $(uname -r): dkms autoinstall",
                [PACKAGE_FIRMWARE] = "install the package that has {1} in /lib/firmware",
                [PACKAGE_SIGN] = SIGN_FILE,
        },
        [DISTRIBUTION_DEBIAN] = {
                [PACKAGE_OWNER] = "dpkg -S $(modinfo -n {module})",
                [PACKAGE_REINSTALL] = "apt install --reinstall linux-image-$(uname -r)",
                [PACKAGE_REBUILD] = "rebuild it for this kernel: apt install linux-headers-$(uname -r) && dkms autoinstall",
                [PACKAGE_FIRMWARE] = "apt install firmware-linux; apt-file search {1}",
                [PACKAGE_SIGN] = "kmodsign sha256 KEY CERT FILE",
        },
        [DISTRIBUTION_UBUNTU] = {
                [PACKAGE_OWNER] = "dpkg -S $(modinfo -n {module})",
                [PACKAGE_REINSTALL] = "apt install --reinstall linux-modules-$(uname -r)",
                [PACKAGE_REBUILD] = "rebuild it for this kernel: apt install linux-headers-$(uname -r) && dkms autoinstall",
                [PACKAGE_FIRMWARE] = "apt install linux-firmware; apt-file search {1}",
                [PACKAGE_SIGN] = "kmodsign sha256 KEY CERT FILE",
        },
        [DISTRIBUTION_FEDORA] = {
                [PACKAGE_OWNER] = RPM_OWNER,
                [PACKAGE_REINSTALL] = "dnf reinstall $(" RPM_OWNER ")",
                [PACKAGE_REBUILD] = "rebuild it for this kernel: dnf install kernel-devel-$(uname -r) && dkms autoinstall",
                [PACKAGE_FIRMWARE] = "dnf install linux-firmware; dnf provides '*/{1}*'",
                [PACKAGE_SIGN] = SIGN_FILE,
        },
        [DISTRIBUTION_SUSE] = {
                [PACKAGE_OWNER] = RPM_OWNER,
                [PACKAGE_REINSTALL] = "zypper install --force $(" RPM_OWNER ")",
                [PACKAGE_REBUILD] = "rebuild it for this kernel: zypper install kernel-default-devel && dkms autoinstall",
                [PACKAGE_FIRMWARE] = "zypper install kernel-firmware-all",
                [PACKAGE_SIGN] = SIGN_FILE,
        },
        [DISTRIBUTION_ARCH] = {
                [PACKAGE_OWNER] = "pacman -Qo $(modinfo -n {module})",
                [PACKAGE_REINSTALL] = "pacman -S $(pacman -Qqo $(modinfo -n {module}))",
                [PACKAGE_REBUILD] = "rebuild it for this kernel: pacman -S linux-headers && dkms autoinstall",
                [PACKAGE_FIRMWARE] = "pacman -S linux-firmware; pacman -Fyx {1}",
                [PACKAGE_SIGN] = SIGN_FILE,
        },
};

static Distribution find_id(const char *id, size_t length) {
        for (size_t i = 0; i < ARRAY_LEN(ids); i++)
                if (strlen(ids[i].id) == length && strncmp(ids[i].id, id, length) == 0)
                        return ids[i].distribution;
        return DISTRIBUTION_UNKNOWN;
}

/* The value of a line "KEY=VALUE" that is the last for its key, without quotes. @key: with its '='. NULL: none. */
static const char *find_value(const char *text, const char *key, size_t *ret_length) {
        const char *found = NULL;

        for (const char *line = text; line; line = strchr(line, '\n')) {
                line += *line == '\n';
                if (startswith(line, key))
                        found = line + strlen(key);
        }
        if (!found)
                return NULL;
        *ret_length = strcspn(found, "\n");
        if (*ret_length >= 2 && (*found == '"' || *found == '\'') && found[*ret_length - 1] == *found) {
                found++;
                *ret_length -= 2;
        }
        return found;
}

/* The first of the words that is known. */
static Distribution find_known(const char *words, size_t length) {
        const char *end = words + length;

        while (words < end) {
                size_t n = 0;
                Distribution d;

                while (words + n < end && words[n] != ' ')
                        n++;
                d = find_id(words, n);
                if (d != DISTRIBUTION_UNKNOWN)
                        return d;
                words += n + (words + n < end);
        }
        return DISTRIBUTION_UNKNOWN;
}

/**
 * distribution_from_os_release() - which distribution says this of itself?
 * @text: an os-release file
 *
 * Its own ID counts first, then those in ID_LIKE, which stand there from the nearest relative on.
 */
Distribution distribution_from_os_release(const char *text) {
        static const char *const keys[] = { "ID=", "ID_LIKE=" };

        assert(text);

        for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
                size_t length;
                const char *words = find_value(text, keys[i], &length);
                Distribution d = words ? find_known(words, length) : DISTRIBUTION_UNKNOWN;

                if (d != DISTRIBUTION_UNKNOWN)
                        return d;
        }
        return DISTRIBUTION_UNKNOWN;
}

/* The one of this machine; unknown, too, if it cannot be told. */
Distribution distribution_of_system(void) {
        static const char *const paths[] = { "/etc/os-release", "/usr/lib/os-release" };

        for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
                _cleanup_(closep) int fd = read_file_open(paths[i]);
                _cleanup_(freep) char *text = NULL;
                size_t size;

                if (fd >= 0 && read_file(fd, OS_RELEASE_MAX, &text, &size) >= 0)
                        return distribution_from_os_release(text);
        }
        return DISTRIBUTION_UNKNOWN;
}

/* What to type, or to do where the tool is not known; with {module} and {1} as in the rules of error-text. */
const char *distribution_hint(Distribution d, PackageTask task) {
        assert(d >= 0 && d < _DISTRIBUTION_MAX && task >= 0 && task < _PACKAGE_TASK_MAX);

        return hints[d][task];
}
