/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/policy/policy-rule.h"

/*
 * GateReach: how much of a set of requests a rule matches, where only a part of each request is known: what the
 * gate in the kernel sees.
 */
typedef enum GateReach {
        GATE_REACH_NONE,                /* it matches none of them */
        GATE_REACH_SOME,                /* it may match some, and may not match others */
        GATE_REACH_ALL,                 /* it matches each of them, whatever else there is to know */
} GateReach;

static inline GateReach gate_reach_least(GateReach a, GateReach b) {
        return a < b ? a : b;
}

/* The normalised aliases that are @text, or that begin with it. */
typedef struct GateRegion {
        const char *text;
        bool whole;
        /*
         * Of those that begin with it, these are not in it: what has an entry of its own in the table, which each
         * alias of a pattern has that begins with more fixed text than @text.
         */
        bool has_entries;
} GateRegion;

typedef struct GateRange {              /* of user IDs, both included */
        uint32_t first, last;
} GateRange;

/* The fixed text that a glob begins with. Return: its length; @ret_whole: there is nothing else. */
size_t gate_glob_literal(const char *glob, bool *ret_whole);
GateReach gate_glob_reach(const char *glob, const GateRegion *region);

/* Of the keys of what is asked for: "alias" and "modalias". */
GateReach gate_rule_reach_alias(const PolicyRule *rule, const GateRegion *region);
/* Of "alias" alone, for something that has several names: it matches if one of them does. */
GateReach gate_rule_reach_names(const PolicyRule *rule, const GateRegion *names, size_t n_names);
GateReach gate_rule_reach_uids(const PolicyRule *rule, GateRange uids);
/* Of all other keys, for a request of the kernel's of which nothing else is known. */
GateReach gate_rule_reach_rest(const PolicyRule *rule);
