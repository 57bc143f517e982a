/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The names of the enums of policies in files, replies and messages. */

#include "common/policy/policy-rule.h"

#include "common/base/enum-names.h"
#include "common/base/util.h"

static const char *const mode_names[_POLICY_MODE_MAX] = {
        [POLICY_OFF]     = "off",
        [POLICY_AUDIT]   = "audit",
        [POLICY_ENFORCE] = "enforce",
};

static const char *const verdict_names[_POLICY_VERDICT_MAX] = {
        [POLICY_NO_VERDICT] = "none",
        [POLICY_ALLOW]      = "allow",
        [POLICY_DENY]       = "deny",
        [POLICY_REPORT]     = "audit",
};

static const char *const source_names[_POLICY_SOURCE_MAX] = {
        [POLICY_BY_KERNEL]       = "kernel",
        [POLICY_BY_COMMAND_LINE] = "command_line",
        [POLICY_BY_GRANT]        = "grant",
        [POLICY_BY_RULE]         = "rule",
        [POLICY_BY_LIST]         = "list",
        [POLICY_BY_INSTALL]      = "install",
        [POLICY_BY_BLACKLIST]    = "blacklist",
        [POLICY_BY_DEFAULT]      = "default",
};

static const char *const scope_names[_POLICY_SCOPE_MAX] = {
        [POLICY_SCOPE_LOAD] = "load",
        [POLICY_SCOPE_USE]  = "use",
};

const char *policy_mode_to_string(PolicyMode mode) {
        return ENUM_NAME(mode_names, mode);
}

PolicyMode policy_mode_from_string(const char *s) {
        return (PolicyMode) ENUM_VALUE(mode_names, s);
}

const char *policy_verdict_to_string(PolicyVerdict verdict) {
        return ENUM_NAME(verdict_names, verdict);
}

/* "none" is not valid in files: a rule without a verdict has no "verdict:". */
PolicyVerdict policy_verdict_from_string(const char *s) {
        int found = ENUM_VALUE(verdict_names, s);

        return found == POLICY_NO_VERDICT ? _POLICY_VERDICT_INVALID : (PolicyVerdict) found;
}

const char *policy_source_to_string(PolicySource source) {
        return ENUM_NAME(source_names, source);
}

const char *policy_scope_to_string(PolicyScope scope) {
        return ENUM_NAME(scope_names, scope);
}

PolicyScope policy_scope_from_string(const char *s) {
        return (PolicyScope) ENUM_VALUE(scope_names, s);
}
