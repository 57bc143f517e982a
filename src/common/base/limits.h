/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Every limit that more than one file or person relies on. */

/* Modules and requests. */
#define MODULE_NAME_MAX 55U             /* bytes without NUL: MODULE_NAME_LEN - 1, linux/moduleparam.h */
#define REQUEST_KEY_MAX 4096U           /* bytes of a module name, alias or modalias; a uevent holds 2048 */
#define MODULE_FILE_MAX (1 << 30)       /* bytes of a module file that is read; the largest have some MiB */
#define MODULE_UNPACKED_MAX \
        (128U << 20) /* likewise, decompressed in memory; lkmd may have 256 MiB (lkmd.service) */
#define MODULE_UNPACKER_MAX (80U << 20) /* bytes that decompressing it may need beside; xz -9 needs 65 MiB */
#define PARAMETERS_MAX 4096U            /* bytes of all parameters of one load; the kernel takes a page */
#define SETTING_LIST_MAX 1024U          /* bytes of a list in lkmd.conf, NUL included */
#define FILE_WATCHES_MAX 512U           /* inotify watches, for modprobe.d and for policies each */
#define LKMD_DENIED_CONF_MAX (1U << 20) /* bytes of the denied names, and of the modprobe.d file made of them */
#define UDEV_RULE_MAX (64U << 10)       /* bytes of udev's rule that loads drivers; it has about 1 KiB */

/* What is listed to be loaded at boot. */
#define LOAD_LIST_MAX 1024U             /* modules and aliases */
#define BOOT_LIST_FILE_MAX (16U << 20)  /* bytes of what lkmd notes of them in LKMD_STATE_DIR */
#define BOOT_RETRY_USEC \
        (1000U * 1000U) /* between two attempts for devices that have come; doubles each time .. */
#define BOOT_RETRY_MAX_USEC (60U * 1000U * 1000U) /* .. up to this */

/* Removals. */
#define UNLOAD_LOOK_USEC (500U * 1000U) /* between two looks whether a module is still in use */
#define KEEP_INTERFACES_MAX 64U         /* network interfaces that a removal must not take away */
#define IDLE_TICK_MIN_USEC \
        (1000U * 1000U) /* between two looks which modules are idle: a quarter of the time .. */
#define IDLE_TICK_MAX_USEC (60U * 1000U * 1000U) /* .. up to this */
#define IDLE_BACKOFF_MAX 6U             /* times that the time doubles for a module that keeps coming back */
#define IDLE_PRESSURE_SHARE 8U          /* of the time, when memory is short */

/* The image of the index. */
#define INDEX_IMAGE_MAX (128U << 20)    /* bytes; that of Debian 13 has 5 MiB */
#define INDEX_IMAGES_MAX 8U             /* files that are kept, of as many kernels */

/* The loader. */
#define LOADS_MAX 16U                   /* inserts and removes at the same time */
#define COMMANDS_MAX 32U                /* install and remove commands at the same time; they may wait for loads */
#define COMMANDS_LEFT_MAX \
        256U /* with those that take long; MaxConnections= of lkmd-command.socket is more */
#define LOADER_THREADS_MAX \
        128U /* for both of LOADS_MAX, and for loads that wait until other drivers have probed */
#define LOADER_THREADS_FOR_KERNEL \
        64U /* more, for requests of the kernel's own, of which it has 50 at once */
#define LOADER_ORIGINS_MAX 64U          /* of one load: lines of modprobe.d, words of rules and of clients */
#define LOADER_STRINGS_MAX 8192U        /* bytes of their file names and names */
#define LOADER_ALIASES_MAX 4U           /* of those that name an alias: a long file is read for each */
#define LOADER_FILE_MAX (16U << 20)     /* bytes of a file that is searched for words; modules.alias has 2 MB */
#define LOADER_ARGUMENTS_MAX (256U << 10) /* bytes of a client's arguments */

/* Requests of the kernel's own. */
#define KERNEL_REQUESTS_MAX \
        1024U /* that lkmd carries out at once; what it has no room for goes to modprobe */
#define KERNEL_REQUESTS_SILENT_MAX 64U  /* connections that have not said yet what they want */
#define USERMODE_HELPERS_MAX (64U << 10) /* bytes of the list of programs that the kernel may start */
#define CIRCLE_LOOK_USEC \
        (200U * 1000U) /* between two looks whether requests wait for each other; doubles each time .. */
#define CIRCLE_LOOK_MAX_USEC (5U * 1000U * 1000U) /* .. up to this */

/* Policies. */
#define POLICY_FILE_MAX (4U << 20)      /* bytes of one file of policy.d */
#define POLICY_FILES_MAX 1024U
#define POLICY_KEPT_MAX (16U << 20)     /* bytes of all files together; a larger policy is not kept */
#define POLICY_RULES_MAX 65536U         /* in all files together */
#define POLICY_DEPTH_MAX 8U             /* of YAML nodes: more than any of our keys needs */
#define GRANTS_MAX 256U
#define GRANT_REASON_MAX 1024U          /* bytes */
#define GRANT_USEC_MAX (3660ULL * 24 * 3600 * 1000 * 1000) /* ten years */

/* What the gate in the kernel knows of the policy. */
#define GATE_CLASSES_MAX 32U            /* of users, by user ID: a bit for each */
#define GATE_ALIAS_MAX 63U              /* bytes of an alias; the kernel asks for MODULE_NAME_MAX at most */
#define GATE_PATTERNS_MAX 2048U         /* of the rules that matter, these and their users counted */
#define GATE_ALIASES_MAX (GATE_PATTERNS_MAX + 1) /* entries: one for each pattern, and one for everything */
#define GATE_SOCKETS_MAX 4096U          /* entries */
#define GATE_FAMILY_MAX 63U             /* of sockets; AF_MAX is less, linux/socket.h */
#define GATE_PROTOCOL_MAX 262U          /* that is told apart: IPPROTO_MPTCP, linux/in.h */
#define GATE_TYPE_MAX 10U               /* SOCK_PACKET, linux/net.h */

#define GATE_WAITING_MAX 1024U          /* requests that have passed, and whose program has not asked lkmd yet */
#define GATE_CAUSE_NSEC \
        (10ULL * 1000 * 1000 * 1000) /* from a request to one of the kernel's own that it led to */
#define GATE_WAITING_NSEC (60ULL * 1000 * 1000 * 1000) /* after which nobody asks for one any more */
#define GATE_LOADERS_MAX 64U            /* of module files, who passed them to the kernel last */

#define PROPOSAL_FILE_MAX \
        (64U << 20) /* bytes of a list of modules or modaliases; a machine has some 100 KiB */

/* Files in LKMD_STATE_DIR. */
#define AUDIT_ENTRIES_MAX 1024U
#define AUDIT_BYTES_MAX (1U << 20)      /* of the texts of all entries */
#define HISTORY_REPLY_MAX \
        256U /* entries in a reply, which keeps other clients and devices waiting for some ms */
#define LEDGER_FILE_MAX (16U << 20)     /* bytes at its end that lkmd reads when it starts */
#define AUDIT_FILE_MAX (4U << 20)       /* likewise, and what the file grows to before it is rewritten */
#define STATE_LINE_MAX (128U << 10)     /* bytes of one line of either */

#define AUDIT_PROCESSES_MAX 16U         /* entries that differ in the name, file or unit of the process alone */
#define AUDIT_CONTAINER_MAX 64U         /* entries of what one container asked for */
#define JOURNAL_FIELD_MAX 16384U        /* bytes of a field of the journal that lkmctl reads */
#define JOURNAL_BOOTS_MAX 4096U         /* boots of the journal that lkmctl counts */
#define CAUSE_STEPS_MAX 64U             /* modules that lkmctl goes up from one to what it was loaded for */
#define REQUESTER_CHAIN_MAX 8U          /* requests that led to a request, each by the one before it */
#define AUDIT_TRAIL_IDLE_USEC (10U * 1000U * 1000U) /* after the last audit record, until lkmd-trail ends */
#define REFUSAL_LOG_MAX 256U            /* then the list starts anew, and entries may repeat */
#define REFUSAL_LOG_BURST \
        64U /* entries about the kernel's requests at once, since anybody can cause them .. */
#define REFUSAL_LOG_REFILL_USEC (10U * 1000U * 1000U) /* .. and one more after this time */

#define AUDIT_SYNC_USEC (1000U * 1000U) /* how far the audit's file may lag behind */
#define AUDIT_KEEP_SOON_USEC (10U * 1000U * 1000U) /* until its first change is kept below /var */
#define AUDIT_KEEP_USEC (5U * 60U * 1000U * 1000U) /* at least between two copies there */

/* Clients. */
#define CLIENTS_MAX 512U                /* varlink connections at the same time */
#define CLIENTS_FOR_ADMINS 320U         /* of these, kept for root and members of LKMD_ADMIN_GROUP */
#define CLIENTS_PER_UID_MAX 16U         /* of any other user; each connection has one call open at most */
#define CLIENT_MESSAGE_MAX (64U << 10)  /* bytes of a call, without the NUL at its end */
#define CLIENT_DEPTH_MAX 16U            /* of arrays and objects in a call */
#define CLIENT_UNSENT_MAX (256U << 10)  /* bytes of replies that a client may leave unread and still get more */
#define CLIENTS_UNSENT_MAX (32U << 20)  /* of all clients together */
#define CLIENT_IDLE_USEC (5U * 60U * 1000U * 1000U) /* without a call, after which an unprivileged connection ends */

/* Containers, which ask the broker. */
#define BROKER_CONTAINERS_MAX 128U      /* of which the number of requests is known */
#define BROKER_BURST 64U                /* requests of one container at once .. */
#define BROKER_REFILL_USEC (1000U * 1000U) /* .. and one more after this time */
#define BROKER_NAME_MAX 255U            /* bytes of the name of a control group, cgroup(7), and of what is asked for */

/* Devices that announce themselves again and again. */
#define INTAKE_DEVICES_MAX 512U         /* of which the number of events is known */
#define INTAKE_NOISY_EVENTS 32U         /* within the window; a device with more is held back */
#define INTAKE_WINDOW_USEC (10U * 1000U * 1000U)
#define INTAKE_HOLD_USEC (1000U * 1000U) /* at first; doubles each time */
#define INTAKE_HOLD_MAX_USEC (60U * 1000U * 1000U)

/* Devices that were refused a module. */
#define REFUSED_DEVICES_MAX 1024U       /* then a change of the policy has all of /sys looked at */
#define REFUSED_MODULES_MAX 16U         /* of one device */
#define SECOND_LOOK_USEC \
        (10U * 1000U * 1000U) /* then a client is told what has become of the devices so far */

/* Devices that wait until udev is through with them. */
#define UDEV_DEVICES_MAX 16384U         /* that wait, or that udev has answered for */
#define UDEV_SILENCE_USEC (60U * 1000U * 1000U) /* of udevd, after which its rules are not waited for */
#define UDEV_WAIT_USEC (180U * 1000U * 1000U) /* of one device, as long as udevd itself waits */
#define UDEV_IDLE_USEC (5U * 1000U * 1000U) /* after which an udevd without work is through with the boot */
#define UDEV_LISTEN_USEC \
        (2U * 1000U * 1000U) /* after other rules: kernel's events in which udev's may have been missed */
#define UDEV_TICK_USEC (250U * 1000U)

/* Notices of lkmctl. */
#define NOTICE_KINDS_MAX 1024U          /* that are remembered; then all may come once more */
#define NOTICE_BURST 5U                 /* at once, and one more .. */
#define NOTICE_REFILL_USEC (10U * 1000U * 1000U) /* .. after this time */

/* What lkmctl looks at. */
#define PROC_TABLE_MAX \
        (64U << 20) /* bytes of one table of /proc; a million sockets have 150 MB, and are too many */
