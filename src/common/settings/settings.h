/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/limits.h"
#include "common/base/problem-list.h"
#include "common/policy/policy-rule.h"

typedef enum UnknownParameters {        /* a load names a parameter that the module does not have */
        UNKNOWN_PARAMETERS_REFUSE,
        UNKNOWN_PARAMETERS_WARN,
        _UNKNOWN_PARAMETERS_MAX,
        _UNKNOWN_PARAMETERS_INVALID = -EINVAL,
} UnknownParameters;

typedef enum BlacklistMeaning {         /* of "blacklist" in modprobe.d */
        BLACKLIST_KMOD,                 /* nothing gets it by an alias */
        BLACKLIST_DENY,                 /* nothing gets it */
        _BLACKLIST_MEANING_MAX,
        _BLACKLIST_MEANING_INVALID = -EINVAL,
} BlacklistMeaning;

typedef enum OnStop {                   /* what becomes of denials when lkmd is stopped */
        ON_STOP_HOLD,                   /* those by name hold for udev and modprobe, too */
        ON_STOP_FORGET,
        _ON_STOP_MAX,
        _ON_STOP_INVALID = -EINVAL,
} OnStop;

typedef enum Compat {                   /* whose rules hold where lkmd's and kmod's are not the same */
        COMPAT_LKMD,
        COMPAT_KMOD,
        _COMPAT_MAX,
        _COMPAT_INVALID = -EINVAL,
} Compat;

/* What lkmd.conf says, lkmd.conf(5). */
typedef struct Settings {
        int log_level;                  /* LOG_EMERG .. LOG_DEBUG */
        bool coldplug;                  /* also for devices that were there before lkmd */
        unsigned loader_threads;        /* 1 .. LOADS_MAX */
        uint64_t slow_load_usec;        /* a load that takes longer is reported; UINT64_MAX: none is */
        uint64_t loader_timeout_usec;   /* a loader that is silent for longer can do nothing; UINT64_MAX: none is */
        size_t receive_buffer_bytes;    /* of the uevent socket */
        size_t ledger_entries;          /* kept in memory and in the ledger's file */
        PolicyMode mode;                /* the most force that a rule of the policy has */
        BlacklistMeaning blacklist;
        Compat compat;
        OnStop on_stop;
        UnknownParameters unknown_parameters;
        char serial_modules[SETTING_LIST_MAX]; /* names_match(): never two of them at once */
        char async_probe_modules[SETTING_LIST_MAX]; /* names_match(): loaded with async_probe */
} Settings;

void settings_default(Settings *ret);

/* Directories with lkmd.conf and lkmd.conf.d/ of this build, highest first, ended by NULL. */
const char *const *settings_roots(void);

/* @roots: as settings_roots(); NULL: those. */
int settings_load(Settings *ret, const char *const *roots, ProblemList *problems);

/* The keys that lkmd.conf may have, in its order; NULL behind the last. */
const char *settings_key(size_t i);

const char *unknown_parameters_to_string(UnknownParameters u);
