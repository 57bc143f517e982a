/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <errno.h>

/* Distribution: by whose package tool a hint tells people to install something. */
typedef enum Distribution {
        DISTRIBUTION_UNKNOWN,
        DISTRIBUTION_DEBIAN,            /* apt */
        DISTRIBUTION_UBUNTU,            /* apt, with other names of packages */
        DISTRIBUTION_FEDORA,            /* dnf */
        DISTRIBUTION_SUSE,              /* zypper */
        DISTRIBUTION_ARCH,              /* pacman */
        _DISTRIBUTION_MAX,
} Distribution;

typedef enum PackageTask {
        PACKAGE_OWNER,                  /* which package a module came with */
        PACKAGE_REINSTALL,              /* that package */
        PACKAGE_REBUILD,                /* a module from outside the kernel, for the running kernel */
        PACKAGE_FIRMWARE,               /* the package with the firmware {1} */
        PACKAGE_SIGN,                   /* a module, with a key of one's own */
        _PACKAGE_TASK_MAX,
        _PACKAGE_TASK_INVALID = -EINVAL,
} PackageTask;

Distribution distribution_from_os_release(const char *text);
Distribution distribution_of_system(void);
const char *distribution_hint(Distribution d, PackageTask task);
