/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/base/util.h"
#include "common/index/index.h"
#include "daemon/base/module-state.h"
#include "daemon/history/ledger.h"
#include "daemon/planning/planner.h"

/*
 * UnloadPlan: which modules a removal takes out of the kernel, in which order and why, and which ones stay, and why.
 * Nothing is done by it.
 */

typedef enum UnloadReason {             /* names are those of the varlink enum UnloadReason */
        UNLOAD_REQUESTED,
        UNLOAD_IDLE,                    /* lkmd itself: nobody has used it for a while */
        UNLOAD_HOLDER,                  /* it uses the parent */
        UNLOAD_DEPENDENCY,              /* was loaded because the parent needs it, and nobody else does */
        UNLOAD_SOFTDEP_PRE,             /* the same, and the parent only wants it */
        UNLOAD_SOFTDEP_POST,
        _UNLOAD_REASON_MAX,
        _UNLOAD_REASON_INVALID = -EINVAL,
} UnloadReason;

typedef struct UnloadStep {
        char *module;                   /* as the kernel calls it */
        UnloadReason reason;
        char *parent;                   /* the module that the reason names; NULL: none */
        char *command;                  /* name of the line of its remove command; NULL: none */
        uint64_t size_bytes;            /* in the kernel */
        int64_t refs_left;              /* references that are left when its turn comes, as far as is known now */
        char **holders_left;            /* and the modules among them; NULL-terminated or NULL */
} UnloadStep;

typedef enum UnloadStayKind {           /* names are those of the varlink enum UnloadStayKind */
        UNLOAD_STAYS_REQUESTED,         /* somebody asked for it */
        UNLOAD_STAYS_NOT_LKMDS,         /* it came without lkmd, or lkmd does not know how */
        UNLOAD_STAYS_WANTED,            /* a softdep of a module that stays names it */
        UNLOAD_STAYS_IN_USE,
        UNLOAD_STAYS_KEPT,              /* idle-unload: no, of the policy */
        UNLOAD_STAYS_NOT_LIVE,          /* coming or going */
        _UNLOAD_STAY_KIND_MAX,
        _UNLOAD_STAY_KIND_INVALID = -EINVAL,
} UnloadStayKind;

typedef struct UnloadStay {
        char *module;
        UnloadStayKind kind;
        char *parent;                   /* for whose sake it would have gone; NULL: its own */
        Record *record;                 /* of who asked, or of how it came; NULL: not known */
        char **modules;                 /* that use or want it; NULL-terminated or NULL */
        int64_t ref_count;              /* UNLOAD_STAYS_IN_USE: with those of modules that stay */
        bool changed;                   /* it was to go, and became one that stays meanwhile */
        UnloadReason reason;            /* for which it would have gone */
} UnloadStay;

typedef struct UnloadPlan {
        UnloadStep *steps;
        size_t n_steps;
        UnloadStay *stays;
        size_t n_stays;
} UnloadPlan;

/* What a plan is made of. All borrowed. */
typedef struct UnloadSources {
        const Ledger *ledger;
        const Planner *planner;
        const Index *index;
        const LoadedModule *loaded;     /* /proc/modules */
        size_t n_loaded;
        bool ignore_commands;           /* no remove command runs, and no softdep counts */
        bool alone;                     /* nothing goes along, and no remove command runs instead */
        bool (*keeps)(const char *module, void *userdata); /* it does not go along; NULL: all may */
        void *userdata;
} UnloadSources;

int unload_plan_new(UnloadPlan **ret, const UnloadSources *sources, char *const *modules,
                    UnloadReason reason, bool holders);
UnloadPlan *unload_plan_free(UnloadPlan *p);
DEFINE_CLEANUP(UnloadPlan, unload_plan_free);

const UnloadStep *unload_plan_find_busy(const UnloadPlan *p);
const UnloadStep *unload_plan_find_step(const UnloadPlan *p, const char *module);
uint64_t unload_plan_bytes(const UnloadPlan *p);

/* While it is carried out. */
int unload_plan_recheck(UnloadPlan *p, const UnloadSources *sources, size_t step);

/* For modules that are no candidates of the plan. */
int unload_sources_claim(const UnloadSources *sources, const char *module);
int unload_plan_add_stay(UnloadPlan *p, const LoadedModule *module, UnloadStayKind kind);

/* Reasons that a module goes for whatever else is known of it. */
static inline bool unload_reason_is_order(UnloadReason r) {
        return r == UNLOAD_REQUESTED || r == UNLOAD_HOLDER;
}

const char *unload_reason_to_string(UnloadReason r);
const char *unload_stay_kind_to_string(UnloadStayKind k);
