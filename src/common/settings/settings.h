/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/limits.h"
#include "common/base/problem-list.h"
#include "common/policy/policy-rule.h"

typedef enum LoadedParameters {         /* what becomes of a load with parameters of a module that is there already */
        LOADED_PARAMETERS_FAIL,
        LOADED_PARAMETERS_IGNORE,
        _LOADED_PARAMETERS_MAX,
        _LOADED_PARAMETERS_INVALID = -EINVAL,
} LoadedParameters;

typedef enum UnknownParameters {        /* what happens if a load has a parameter that the module does not have */
        UNKNOWN_PARAMETERS_REFUSE,
        UNKNOWN_PARAMETERS_WARN,
        _UNKNOWN_PARAMETERS_MAX,
        _UNKNOWN_PARAMETERS_INVALID = -EINVAL,
} UnknownParameters;

typedef enum BlacklistMeaning {         /* of blacklist lines in modprobe.d */
        BLACKLIST_KMOD,                 /* the module is not loaded by an alias */
        BLACKLIST_DENY,                 /* the module is not loaded */
        _BLACKLIST_MEANING_MAX,
        _BLACKLIST_MEANING_INVALID = -EINVAL,
} BlacklistMeaning;

typedef enum InInitramfs {              /* what hooks put into an initramfs; lkmd does nothing with it */
        IN_INITRAMFS_NO,
        IN_INITRAMFS_DENIALS,           /* what the policy denies by name, for modprobe there */
        IN_INITRAMFS_LKMCTL,            /* also lkmctl, as modprobe, and the policy */
        IN_INITRAMFS_LKMD,              /* also lkmd itself, where systemd runs it */
        _IN_INITRAMFS_MAX,
        _IN_INITRAMFS_INVALID = -EINVAL,
} InInitramfs;

typedef enum OnStop {                   /* which denials stay in force when lkmd stops */
        ON_STOP_HOLD,                   /* those by name, for udev and modprobe */
        ON_STOP_FORGET,                 /* none */
        _ON_STOP_MAX,
        _ON_STOP_INVALID = -EINVAL,
} OnStop;

typedef enum OnFailure {                /* what the kernel asks for while lkmd cannot be reached */
        ON_FAILURE_OPEN,                /* modprobe loads it */
        ON_FAILURE_CLOSED,              /* is not loaded */
        _ON_FAILURE_MAX,
        _ON_FAILURE_INVALID = -EINVAL,
} OnFailure;

typedef enum OnDenied {                 /* how modprobe and insmod end for a module that is denied */
        ON_DENIED_ERROR,
        ON_DENIED_SUCCESS,
        _ON_DENIED_MAX,
        _ON_DENIED_INVALID = -EINVAL,
} OnDenied;

typedef enum GateMode {                 /* what the gate in the kernel refuses by itself */
        GATE_MODE_OFF,                  /* nothing; nor is it listened to */
        GATE_MODE_REQUESTS,             /* requests of the kernel's, and sockets */
        GATE_MODE_FILES,                /* also module files, whoever loads them */
        _GATE_MODE_MAX,
        _GATE_MODE_INVALID = -EINVAL,
} GateMode;

typedef enum Compat {                   /* which one plans are like where lkmd and kmod differ */
        COMPAT_LKMD,
        COMPAT_KMOD,
        _COMPAT_MAX,
        _COMPAT_INVALID = -EINVAL,
} Compat;

/* Settings: the contents of lkmd.conf; lkmd.conf(5) describes them. */
typedef struct Settings {
        int log_level;                  /* LOG_EMERG .. LOG_DEBUG */
        bool coldplug;                  /* also load drivers for devices that appeared before lkmd started */
        unsigned loader_threads;        /* 1 .. LOADS_MAX */
        uint64_t slow_load_usec;        /* a load that takes longer is reported; UINT64_MAX: never */
        uint64_t
                loader_timeout_usec; /* a loader that does not answer for longer has failed; UINT64_MAX: never */
        size_t receive_buffer_bytes;    /* of the uevent socket */
        size_t ledger_entries;          /* kept in memory and in the file of the ledger */
        PolicyMode mode;                /* the upper limit of the mode of all rules */
        BlacklistMeaning blacklist;
        Compat compat;
        OnStop on_stop;
        InInitramfs in_initramfs;
        OnFailure on_failure;
        OnDenied on_denied;
        GateMode gate;
        uint64_t idle_unload_usec;      /* modules loaded on demand go when idle for it; UINT64_MAX: never */
        UnknownParameters unknown_parameters;
        LoadedParameters loaded_parameters;
        char serial_modules[SETTING_LIST_MAX]; /* names; no two of them are loaded at once */
        char async_probe_modules[SETTING_LIST_MAX]; /* module_list_contains(): loaded with async_probe */
} Settings;

void settings_default(Settings *ret);

/* The directories with lkmd.conf and lkmd.conf.d of this build, highest first; NULL-terminated. */
const char *const *settings_roots(void);

/* @roots: NULL: settings_roots(). */
int settings_load(Settings *ret, const char *const *roots, ProblemList *problems);

/* The keys of lkmd.conf, in its order; NULL after the last. */
const char *settings_key(size_t i);

const char *gate_mode_to_string(GateMode mode);
const char *unknown_parameters_to_string(UnknownParameters u);
