/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Every name, path and limit that more than one file, process or person relies on. */

#include "config.h"

/* The varlink service; tests point both sides at a private socket. */
#define LKMD_INTERFACE "io.lkmd.Manager"
#define LKMD_RUN_DIR "/run/lkmd"         /* root's: nobody else adds, removes or renames there */
#define LKMD_SOCKET LKMD_RUN_DIR "/" LKMD_INTERFACE
#define LKMD_SOCKET_ENV "LKMD_SOCKET"
#define LKMD_ADMIN_GROUP "lkmd-admin"   /* may change things, beside root */

/* The loader. */
#define LKMD_LOADER_SOCKET LKMD_RUN_DIR "/loader"
#define LKMD_LOADER_SOCKET_ENV "LKMD_LOADER_SOCKET"
#define LKMD_LOADER_PROGRAM LKMD_LIB_DIR "/lkmd-loader"

/* File descriptors that systemd passes to the manager, by FileDescriptorName= and OpenFile=. */
#define LKMD_FD_VARLINK "varlink"
#define LKMD_FD_KMSG "kmsg"
#define LKMD_FD_IN_CHARGE "in-charge"

/* Files. What lkmd itself writes lies apart, in a directory of its own, so that no path of root's leads through it. */
#define LKMD_STATE_DIR LKMD_RUN_DIR "/state"
#define LKMD_LEDGER_FILE LKMD_STATE_DIR "/ledger"
#define LKMD_LEDGER_ENV "LKMD_LEDGER"
#define LKMD_AUDIT_FILE LKMD_STATE_DIR "/audit"
#define LKMD_AUDIT_ENV "LKMD_AUDIT"
#define LKMD_DENIED_FILE LKMD_STATE_DIR "/denied" /* names of modules, one a line */
#define LKMD_HANDOVER_CALL_FILE LKMD_STATE_DIR "/handover-call" /* while it is there, lkmd-handover has something to look at */
#define LKMD_DENIED_ENV "LKMD_DENIED"
#define LKMD_DENIED_FORGET "#forget\n"  /* how it begins with OnStop=forget */
#define MODPROBE_RUN_DIR "/run/modprobe.d"
#define LKMD_DENIED_CONF MODPROBE_RUN_DIR "/lkmd-denied.conf" /* the same for udev and modprobe; of no news to lkmd */
#define LKMD_CONF_NAME "lkmd.conf"
#define LKMD_POLICY_DIR "policy.d"      /* below /etc/lkmd, /run/lkmd and /usr/lib/lkmd */
#define LKMD_LIST_DIR "lists"           /* below /etc/lkmd and /usr/share/lkmd */
#define LKMD_GRANTS_FILE LKMD_STATE_DIR "/grants.yaml"
#define LKMD_GOOD_POLICY_FILE LKMD_STATE_DIR "/policy" /* what was last read whole; lkmd-keep.service copies it .. */
#define LKMD_KEEP_CALL_FILE LKMD_STATE_DIR "/policy-call" /* while it is there, lkmd-keep has something to copy */
#define LKMD_KEPT_POLICY_FILE "/var/lib/lkmd/policy" /* .. to where a reboot does not take it */
#define MODULE_ROOT "/lib/modules"
#define LKMD_ROOT_ENV "LKMD_ROOT"       /* prefix of it, for tests */
#define LKMD_POLICY_ROOT_ENV "LKMD_POLICY_ROOT" /* prefix of all that belongs to policies, likewise */
#define SERVICE_MANAGER_ADDRESS "unix:path=/run/systemd/private" /* of PID 1, for root, there before any bus is */
#define UDEV_UNIT "systemd-udevd.service"
#define UDEV_AUTOLOAD_RULE "80-drivers.rules"
#define UDEV_RUN_DIR "/run/udev"
#define UDEV_RUN_RULES_DIR UDEV_RUN_DIR "/rules.d"
#define UDEV_ETC_RULES_DIR "/etc/udev/rules.d"
#define UDEV_LOCAL_RULES_DIR "/usr/local/lib/udev/rules.d"
#define UDEV_LIB_RULES_DIR "/usr/lib/udev/rules.d"
#define UDEV_RULE_HEAD "# Written by lkmd-handover" /* how the file that stands over udev's begins */

/*
 * Who loads drivers, for udev's rule to look at: a file that lkmd may change the mode of, in a directory where it may
 * not replace it.
 */
#define LKMD_UNIT "lkmd.service"
#define LKMD_LOADER_UNIT "lkmd-loader.service"
#define LKMD_LOADER_SOCKET_UNIT "lkmd-loader.socket"
#define LKMD_USER "lkmd"
#define LKMD_IN_CHARGE_NAME "in-charge"
#define LKMD_IN_CHARGE_FILE LKMD_RUN_DIR "/" LKMD_IN_CHARGE_NAME
#define IN_CHARGE_NOW 0100U             /* lkmd; what udev's rule goes by */
#define IN_CHARGE_BEFORE 0010U          /* lkmd was, since it was started: devices may have relied on it */
#define IN_CHARGE_OWED 0001U            /* an earlier lkmd was, and nobody has looked at the devices since */

/* Limits. */
#define MODULE_NAME_MAX 55U             /* bytes without NUL: MODULE_NAME_LEN - 1, linux/moduleparam.h */
#define REQUEST_KEY_MAX 4096U           /* bytes of a module name, alias or modalias; a uevent holds 2048 */
#define MODULE_FILE_MAX (1 << 30)       /* bytes of a module that is looked into; the largest have some MiB */
#define PARAMETERS_MAX 4096U            /* bytes of all parameters of one load; the kernel takes a page */
#define LKMD_DENIED_CONF_MAX (1U << 20) /* bytes of the denied names, and of what they become */
#define UDEV_RULE_MAX (64U << 10)       /* bytes of udev's rule that loads drivers; it has about 1 KiB */
#define LOADS_MAX 16U                   /* inserts and removes under way at once, at most */
#define COMMANDS_MAX 32U                /* install and remove commands beside them, which may wait for them */
#define LOADER_THREADS_MAX 128U         /* of lkmd-loader: these, and loads that wait for probes of others */
#define LOADER_ORIGINS_MAX 64U /* lines, and words of rules and clients, of one load's parameters */
#define LOADER_STRINGS_MAX 8192U /* bytes of their files and names */
#define LOADER_ALIASES_MAX 4U           /* of those, by the name of an alias: a long file is read for each */
#define LOADER_FILE_MAX \
        (16U << 20) /* bytes of a file in which words are looked for; modules.alias has 2 MB */
#define LOADER_ARGUMENTS_MAX (256U << 10) /* bytes of a client's arguments */
#define LOADER_IDLE_USEC (60U * 1000U * 1000U) /* without work, and lkmd-loader may go until there is some */
#define SETTING_LIST_MAX 1024U          /* bytes of a list in lkmd.conf, NUL included */
#define POLICY_FILE_MAX (4U << 20)      /* bytes of one file of policy.d */
#define POLICY_FILES_MAX 1024U
#define POLICY_KEPT_MAX (16U << 20)     /* bytes of all files together; a policy that has more is not kept */
#define POLICY_RULES_MAX 65536U         /* in all files together */
#define POLICY_DEPTH_MAX 8U             /* of nodes in its YAML: more than any of our keys needs */
#define GRANTS_MAX 256U
#define GRANT_REASON_MAX 1024U          /* bytes */
#define GRANT_USEC_MAX (3660ULL * 24 * 3600 * 1000 * 1000) /* ten years */
#define AUDIT_ENTRIES_MAX 1024U
#define LEDGER_FILE_MAX (16U << 20)     /* bytes that are read of it when lkmd starts, the latest */
#define AUDIT_FILE_MAX (8U << 20)      /* likewise */
#define FILE_WATCHES_MAX 512U           /* of inotify, for what is read of modprobe.d or of policies */
#define STATE_LINE_MAX (128U << 10)     /* bytes of one line of these */
#define CLIENTS_MAX 512U                /* varlink connections at once */
#define CLIENTS_FOR_ADMINS 320U         /* of these, kept for root and members of LKMD_ADMIN_GROUP */
#define CLIENTS_PER_UID_MAX 16U         /* of anybody else; each has one call open at most */
#define CLIENT_MESSAGE_MAX (64U << 10)  /* bytes of a call, without the NUL at its end */
#define CLIENT_DEPTH_MAX 16U            /* of arrays and objects in a call */
#define CLIENT_UNSENT_MAX (256U << 10)  /* bytes that a client may leave unread and be told more */
#define CLIENTS_UNSENT_MAX (32U << 20)  /* all clients together */
#define CLIENT_IDLE_USEC (5U * 60U * 1000U * 1000U) /* without a call, and an unprivileged connection ends */
#define INTAKE_DEVICES_MAX 512U         /* devices of which it is known how often they announce themselves */
#define INTAKE_NOISY_EVENTS 32U         /* more of one device within the window, and it is held back */
#define INTAKE_WINDOW_USEC (10U * 1000U * 1000U)
#define INTAKE_HOLD_USEC (1000U * 1000U) /* at first; twice as long each time */
#define INTAKE_HOLD_MAX_USEC (60U * 1000U * 1000U)
