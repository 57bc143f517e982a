/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * GateLayout: what the programs in the kernel (gate.bpf.c), lkmd-gate and the manager share: the maps, what is in
 * them, and the events. Numbers have fixed widths, and the file is also compiled for BPF, so it needs nothing but
 * the kernel's own types.
 *
 * What may be refused is there twice, in two banks, of which one is in force (GATE_ACTIVE). The manager fills the
 * other one and changes over with one write of 8 bytes, so that there is no moment in which half of a policy holds.
 *
 * GATE_LAYOUT changes with everything here. Programs and maps of another layout may be pinned beside those of this one
 * while lkmd is being replaced by another version.
 */

#include <linux/types.h>

#define GATE_LAYOUT 1U
#define GATE_LAYOUT_DIR "v1"            /* below LKMD_GATE_PIN_DIR */

#define GATE_LAYOUT_CLASSES 32U
#define GATE_NAME_SIZE 64U              /* the kernel's own limit for the name of a request is 56, with NUL */
#define GATE_COMMAND_SIZE 16U           /* TASK_COMM_LEN */
#define GATE_PATH_SIZE 128U
#define GATE_MAP_ALIASES 4096U          /* entries, in each bank */
#define GATE_MAP_SOCKETS 4096U          /* likewise */
#define GATE_MAP_FILES 8192U
#define GATE_MAP_NAMES_DENIED 8192U
#define GATE_MAP_REFUSALS 2048U         /* of user and entry, whose refusals are counted */
#define GATE_MAP_REQUESTS 1024U         /* on their way to the program that the kernel starts */
#define GATE_EVENTS_BYTES (256U << 10)  /* of the ring buffer; a power of 2, and of pages */
#define GATE_REPORTS_OF_USER 32U        /* within that time, of all refusals to it */
#define GATE_REPORT_NSEC 1000000000ULL  /* at least between two reports of the same refusal */

#define GATE_NO_ENTRY 0xffffffffU
#define GATE_ANY_PROTOCOL (-1)
#define GATE_ANY_TYPE 0U

/* The maps of which the manager gets a descriptor, each for its own name. */
enum {
        GATE_ACTIVE,                    /* 1 x __u64: number of the table in force; the lowest bit is its bank */
        GATE_CLASSES,                   /* bank -> GateClasses */
        GATE_ALIASES_0,                 /* GateAliasKey -> GateEntry; the longest one that matches counts */
        GATE_ALIASES_1,
        GATE_SOCKETS_0,                 /* GateSocketKey -> GateEntry; the most special one that matches counts */
        GATE_SOCKETS_1,
        GATE_SETTINGS,                  /* 1 x GateSettings */
        GATE_DENIED_FILES,              /* GateFileKey -> entry, for GATE_REFUSE_FILES */
        GATE_DENIED_NAMES,              /* GateNameKey -> entry, likewise */
        GATE_EVENTS,                    /* ring buffer of GateEvent */
        GATE_LOST,                      /* 1 x __u64: events that had no room there */
        _GATE_MAP_MAX,
};

#define GATE_MAP_NAMES \
        { "active",  "classes",  "aliases_0",    "aliases_1",    "sockets_0", "sockets_1", \
          "settings", "denied_files", "denied_names", "events",    "lost" }

/* Class i: users from starts[i] to before starts[i + 1]; starts[0] is 0. Without a class nothing is refused. */
typedef struct GateClasses {
        __u32 n_classes;
        __u32 n_aliases;                /* 0: no look-up is needed */
        __u32 n_sockets;                /* likewise */
        __u32 starts[GATE_LAYOUT_CLASSES];
} GateClasses;

typedef struct GateEntry {
        __u32 refused;                  /* a bit for each class */
        __u32 entry;                    /* its number in the table of the manager */
} GateEntry;

/* As the kernel's tries want it. '-' is '_'; what follows NUL is NUL. */
typedef struct GateAliasKey {
        __u32 n_bits;                   /* of the text; with its NUL if it is a whole alias and no prefix */
        char text[GATE_NAME_SIZE];
} GateAliasKey;

typedef struct GateSocketKey {
        __s32 family;
        __s32 protocol;                 /* or GATE_ANY_PROTOCOL */
        __u32 type;                     /* or GATE_ANY_TYPE */
} GateSocketKey;

typedef struct GateFileKey {
        __u64 device;                   /* as the kernel has it: major << 20 | minor */
        __u64 inode;
} GateFileKey;

typedef struct GateNameKey {
        char text[GATE_NAME_SIZE];      /* normalised, without ".ko" and what follows; NUL to its end */
} GateNameKey;

#define GATE_REFUSE_FILES (1U << 0)     /* what is in GATE_DENIED_FILES and GATE_DENIED_NAMES */
#define GATE_REPORT_FILES (1U << 1)     /* events for module files that pass */

typedef struct GateSettings {
        __u32 flags;
        __u32 unused;
} GateSettings;

enum {
        GATE_EVENT_REQUEST = 1,         /* request_module(): refused, or passed on to a program */
        GATE_EVENT_HELPER,              /* that program has begun: @helper, for the request of @tid at @id */
        GATE_EVENT_SOCKET,              /* a socket was refused */
        GATE_EVENT_FILE,                /* a module file is being read */
        GATE_EVENT_DATA,                /* a module comes from the memory of a process, init_module(2) */
};

typedef struct GateEvent {
        /* NULs, the text, one NUL. "": a thread of the kernel; without a slash: the end of a longer path. */
        char executable[GATE_PATH_SIZE];
        __u32 kind;
        __u32 refused;                  /* 1: by @entry */
        __u64 id;                       /* CLOCK_MONOTONIC in ns; with @tid it names a request */
        __u64 start_nsec;               /* when the process began, CLOCK_BOOTTIME */
        __u64 cgroup_id;
        __u64 table;                    /* what GATE_ACTIVE was: @entry is of that table */
        __u64 count;                    /* refusals of this to this user by this entry so far */
        __u64 device;                   /* GateFileKey */
        __u64 inode;
        __u32 tgid;
        __u32 tid;
        __u32 uid;                      /* the real one, in the first user name space */
        __u32 login_uid;                /* 4294967295: nobody has logged in */
        __u32 entry;                    /* or GATE_NO_ENTRY */
        __u32 helper;
        __s32 family;
        __s32 protocol;
        __u32 type;
        __u32 unused;
        char command[GATE_COMMAND_SIZE];
        char name[GATE_NAME_SIZE];      /* of the request as the kernel wrote it, or the last name of the file */
} GateEvent;

/* For lkmd-gate alone, which has a map of its own for each attempt: do the programs act? */
#define GATE_PROOF_REQUEST (1U << 0)
#define GATE_PROOF_SOCKET (1U << 1)
#define GATE_PROOF_FILE (1U << 2)
#define GATE_PROOF_DATA (1U << 3)

typedef struct GateProof {
        __u32 tgid;                     /* the process whose every request .. */
        __u32 hooks;                    /* .. to these is refused */
        __u32 hits;                     /* times that one was */
        __u32 passed;                   /* requests of it that got past the hook */
} GateProof;

/* Pinned beside the others: whose programs these are. */
typedef struct GateInfo {
        __u32 layout;
        __u32 unused;
        __u64 build;                    /* hash of the compiled programs */
} GateInfo;
