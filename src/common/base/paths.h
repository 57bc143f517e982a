/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Every name and path that more than one file, process or person relies on. */

#include "config.h"

/* The varlink service; tests point both sides at a private socket. */
#define LKMD_INTERFACE "io.lkmd.Manager"
#define LKMD_RUN_DIR "/run/lkmd"         /* root's: nobody else creates, removes or renames files in it */
#define LKMD_SOCKET LKMD_RUN_DIR "/" LKMD_INTERFACE
#define LKMD_SOCKET_ENV "LKMD_SOCKET"
/* The broker for containers. Its directory is its own, so that it can be mounted into them as a whole. */
#define LKMD_BROKER_INTERFACE "io.lkmd.Broker"
#define LKMD_BROKER_SOCKET "/run/lkmd-broker/" LKMD_BROKER_INTERFACE
#define LKMD_BROKER_SOCKET_ENV "LKMD_BROKER_SOCKET"
#define LKMD_BROKER_CONTAINER_ENV "LKMD_BROKER_CONTAINER" /* the container of whoever asks, for tests */
#define LKMD_ADMIN_GROUP "lkmd-admin"   /* may change things, beside root */

/* A directory with files of a journal, which lkmctl reads instead of the system's; for tests. */
#define LKMD_JOURNAL_ENV "LKMD_JOURNAL"

/* The loader. */
#define LKMD_LOADER_SOCKET LKMD_RUN_DIR "/loader"
#define LKMD_LOADER_SOCKET_ENV "LKMD_LOADER_SOCKET"
#define LKMD_LOADER_PROGRAM LKMD_LIB_DIR "/lkmd-loader"

/* What runs the commands of modprobe.d. */
#define LKMD_COMMAND_SOCKET LKMD_RUN_DIR "/command"
#define LKMD_COMMAND_SOCKET_ENV "LKMD_COMMAND_SOCKET"

/* The reader of what only root may read. */
#define LKMD_READER_SOCKET LKMD_RUN_DIR "/reader"
#define LKMD_READER_SOCKET_ENV "LKMD_READER_SOCKET"

/* What writes audit records. */
#define LKMD_TRAIL_SOCKET LKMD_RUN_DIR "/trail"
#define LKMD_TRAIL_SOCKET_ENV "LKMD_TRAIL_SOCKET"
/* The kernel's own requests: lkmd-request, which is kernel.modprobe, asks here. */
#define LKMD_REQUEST_SOCKET LKMD_RUN_DIR "/request"
#define LKMD_REQUEST_PROGRAM LKMD_LIB_DIR "/lkmd-request"
#define LKMD_REQUEST_ROOT_ENV "LKMD_REQUEST_ROOT" /* prefix of all paths of lkmd-request, for tests */
#define LKMD_NOT_ANSWERING_ENV "LKMD_NOT_ANSWERING" /* set for the modprobe that lkmd-request becomes */
#define LKMD_SHUT_FILE LKMD_RUN_DIR "/shut" /* exists with OnFailure=closed */
#define LKMD_MODPROBE_FILE LKMD_RUN_DIR "/modprobe" /* what kernel.modprobe was before */
#define KERNEL_MODPROBE "/proc/sys/kernel/modprobe"
#define USERMODE_HELPERS_FILE LKMD_SYSCONF_DIR "/lkmd/usermode-helpers"
#define MODPROBE_PROGRAMS "/sbin/modprobe", "/usr/sbin/modprobe", "/bin/modprobe", "/usr/bin/modprobe"

/* File descriptors that systemd passes to the manager, by FileDescriptorName= and OpenFile=. */
#define LKMD_FD_VARLINK "varlink"
#define LKMD_FD_BROKER "broker"
#define LKMD_FD_KMSG "kmsg"
#define LKMD_FD_IN_CHARGE "in-charge"
#define LKMD_FD_GATE "gate-"            /* and the name of a map; from the store of lkmd.service */

/* The gate. */
#define LKMD_GATE_PIN_DIR "/sys/fs/bpf/lkmd" /* root's; as long as it is there, the gate holds */
#define LKMD_GATE_OFF_FILE \
        LKMD_RUN_DIR "/gate-off" /* exists if there is no gate: a sentence that says why */
#define LKMD_FD_REQUEST "request"

/*
 * Files. What lkmd itself writes is in a directory of its own, so that root follows no path through a directory
 * that lkmd can change.
 */
#define LKMD_STATE_DIR LKMD_RUN_DIR "/state"
#define LKMD_LEDGER_FILE LKMD_STATE_DIR "/ledger"
#define LKMD_LEDGER_ENV "LKMD_LEDGER"
#define LKMD_AUDIT_FILE LKMD_STATE_DIR "/audit"
#define LKMD_AUDIT_ENV "LKMD_AUDIT"
#define LKMD_AUDIT_EARLIER_SUFFIX "-earlier" /* of earlier boots, brought by lkmd-audit.service */
#define LKMD_AUDIT_CALL_SUFFIX "-call"  /* exists while lkmd-keep has the audit to copy */
#define LKMD_BOOT_LIST_FILE LKMD_STATE_DIR "/boot-list" /* what has become of modules-load.d in this boot */
#define LKMD_INITRD_BOOT_LIST_FILE \
        LKMD_STATE_DIR "/boot-list-in-initrd" /* the same, of the lists of an initramfs */
#define LKMD_BOOT_LIST_ENV "LKMD_BOOT_LIST"
#define LKMD_DENIED_FILE LKMD_STATE_DIR "/denied" /* names of modules, one a line */
#define LKMD_HANDOVER_CALL_FILE LKMD_STATE_DIR "/handover-call" /* exists while lkmd-handover has work */
#define LKMD_DENIED_ENV "LKMD_DENIED"
#define LKMD_DENIED_FORGET "#forget\n"  /* its first line with OnStop=forget */
#define LKMD_DENIED_CLOSED "#closed\n"  /* the line after that, or its first, with OnFailure=closed */
#define MODPROBE_RUN_DIR "/run/modprobe.d"
#define LKMD_DENIED_CONF MODPROBE_RUN_DIR "/lkmd-denied.conf" /* the same for udev and modprobe; lkmd does not read it */
#define LKMD_CONF_NAME "lkmd.conf"
#define LKMD_DENIED_IN_IMAGE \
        "/etc/modprobe.d/lkmd-denied.conf" /* the same in an initramfs, by lkmd's hooks */
#define LKMD_POLICY_DIR "policy.d"      /* below /etc/lkmd, /run/lkmd and /usr/lib/lkmd */
#define LKMD_LIST_DIR "lists"           /* below /etc/lkmd and /usr/share/lkmd */
#define LKMD_LINT_DIR "lint.d"          /* below /etc/lkmd and /usr/lib/lkmd: accepted findings of policy lint */
#define LKMD_GRANTS_FILE LKMD_STATE_DIR "/grants.yaml"
#define LKMD_GOOD_POLICY_FILE LKMD_STATE_DIR "/policy" /* the last one that was read without errors; lkmd-keep.service copies it .. */
#define LKMD_KEEP_CALL_FILE LKMD_STATE_DIR "/policy-call" /* exists while lkmd-keep has something to copy */
#define LKMD_KEPT_POLICY_FILE "/var/lib/lkmd/policy" /* .. to where it survives a reboot */
#define LKMD_IMAGE_DIR \
        "/var/cache/lkmd" /* images of indexes, by the kernel's release; lkmctl reads none of them */
#define LKMD_IMAGE_ENV "LKMD_IMAGE_DIR"
#define MODULE_ROOT "/lib/modules"
#define LKMD_ROOT_ENV "LKMD_ROOT"       /* prefix of it, for tests */
#define LKMD_POLICY_ROOT_ENV "LKMD_POLICY_ROOT" /* prefix of all paths of policies, likewise */
#define LKMD_DOCTOR_ROOT_ENV "LKMD_DOCTOR_ROOT" /* prefix of all that lkmctl doctor looks at, likewise */
#define LKMD_INITRAMFS_PROGRAM LKMD_LIB_DIR "/lkmd-initramfs"
#define LKMD_INITRAMFS_PROGRAM_ENV "LKMD_INITRAMFS_PROGRAM"
#define SERVICE_MANAGER_ADDRESS "unix:path=/run/systemd/private" /* of PID 1, for root; exists before any bus does */
#define UDEV_UNIT "systemd-udevd.service"
#define UDEV_AUTOLOAD_RULE "80-drivers.rules"
#define UDEVD_CGROUP_DIR "/sys/fs/cgroup/system.slice/" UDEV_UNIT /* exists while udevd runs */
#define INITRAMFS_RUN_DIR \
        "/run/initramfs" /* made by the initramfs: initramfs-tools(7), dracut(8), mkinitcpio(8) */
#define INITRD_RELEASE_FILE "/etc/initrd-release" /* exists in an initramfs only, see os-release(5) */
#define UDEV_RUN_DIR "/run/udev"
#define UDEV_RUN_RULES_DIR UDEV_RUN_DIR "/rules.d"
#define UDEV_ETC_RULES_DIR "/etc/udev/rules.d"
#define UDEV_LOCAL_RULES_DIR "/usr/local/lib/udev/rules.d"
#define UDEV_LIB_RULES_DIR "/usr/lib/udev/rules.d"
#define UDEV_ETC_HWDB_DIR "/etc/udev/hwdb.d"
#define UDEV_RULE_HEAD "# Written by lkmd-handover" /* first words of the file that masks udev's */

#define LKMD_UNIT "lkmd.service"
#define LKMD_LOADER_UNIT "lkmd-loader.service"
#define LKMD_LOADER_SOCKET_UNIT "lkmd-loader.socket"
#define LKMD_USER "lkmd"

/*
 * Who loads drivers: udev's rule looks at the mode of this file. lkmd may change the mode, but not replace the file in
 * its directory.
 */
#define LKMD_IN_CHARGE_NAME "in-charge"
#define LKMD_IN_CHARGE_FILE LKMD_RUN_DIR "/" LKMD_IN_CHARGE_NAME
#define IN_CHARGE_NOW 0100U             /* lkmd loads them; udev's rule checks this bit */
#define IN_CHARGE_BEFORE 0010U          /* lkmd has loaded them since it started: devices may have relied on it */
#define IN_CHARGE_OWED 0001U            /* an earlier lkmd has, and nobody has looked at the devices since */
