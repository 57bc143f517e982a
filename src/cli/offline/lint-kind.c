/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* FindingKind: the table of kinds. Owns nothing. */

#include "cli/offline/lint-kind.h"

#include "common/base/enum-names.h"
#include "common/base/nearest-name.h"

static const char *const names[_FINDING_KIND_MAX] = {
        [FINDING_UNREACHABLE]             = "unreachable",
        [FINDING_EXPIRED]                 = "expired",
        [FINDING_NEVER_KNOWN]             = "never_known",
        [FINDING_ANY_PARAMETER]           = "any_parameter",
        [FINDING_KERNEL_REQUESTS]         = "kernel_requests",
        [FINDING_ALLOWED_BY_COMMAND]      = "allowed_by_command",
        [FINDING_CLOSED_TO_CONTAINERS]    = "closed_to_containers",
        [FINDING_VITAL_SOCKETS]           = "vital_sockets",
        [FINDING_NO_SUCH_MODULE]          = "no_such_module",
        [FINDING_ABSENT_MODULE]           = "absent_module",
        [FINDING_BUILT_IN]                = "built_in",
        [FINDING_OVERRULED]               = "overruled",
        [FINDING_INSTALL_OVERLOOKED]      = "install_overlooked",
        [FINDING_BLACKLIST_OF_DEPENDENCY] = "blacklist_of_dependency",
        [FINDING_BLACKLIST_OF_ALIAS]      = "blacklist_of_alias",
        [FINDING_UNKNOWN_PARAMETER]       = "unknown_parameter",
        [FINDING_COMMAND_MISSING]         = "command_missing",
        [FINDING_UNUSUAL_DENIAL]          = "unusual_denial",
        [FINDING_ALIAS_OFF]               = "alias_off",
        [FINDING_ALIAS_TO_NOTHING]        = "alias_to_nothing",
        [FINDING_SOFTDEP_WITHOUT_PLACE]   = "softdep_without_place",
        [FINDING_BAD_LINE]                = "bad_line",
        [FINDING_BAD_NAME]                = "bad_name",
        [FINDING_EXTRA_WORDS]             = "extra_words",
        [FINDING_TRAILING_COMMENT]        = "trailing_comment",
        [FINDING_INDENTED_COMMENT]        = "indented_comment",
        [FINDING_HIDDEN_CHARACTER]        = "hidden_character",
        [FINDING_CARRIAGE_RETURN]         = "carriage_return",
        [FINDING_ENCODING]                = "encoding",
        [FINDING_IGNORED_FILE]            = "ignored_file",
        [FINDING_HIDDEN_FILE]             = "hidden_file",
        [FINDING_NOT_READ]                = "not_read",
        [FINDING_DASH_ON_COMMAND_LINE]    = "dash_on_command_line",
        [FINDING_ONLY_FIRST_COUNTS]       = "only_first_counts",
        [FINDING_ONLY_LAST_COUNTS]        = "only_last_counts",
        [FINDING_BROKEN]                  = "broken",
        [FINDING_BAD_ACCEPTANCE]          = "bad_acceptance",
        [FINDING_UNUSED_ACCEPTANCE]       = "unused_acceptance",
};

const char *finding_kind_to_string(FindingKind kind) {
        return ENUM_NAME(names, kind);
}

FindingKind finding_kind_from_string(const char *name) {
        return (FindingKind) ENUM_VALUE(names, name);
}

const char *finding_kind_nearest(const char *name) {
        return nearest_name_of(name, names, ARRAY_LEN(names));
}

bool finding_kind_is_note(FindingKind kind) {
        switch (kind) {
        case FINDING_ABSENT_MODULE:
        case FINDING_HIDDEN_FILE:
        case FINDING_INDENTED_COMMENT:
        case FINDING_KERNEL_REQUESTS:
        case FINDING_UNUSED_ACCEPTANCE:
        case FINDING_UNUSUAL_DENIAL:
                return true;
        default:
                return false;
        }
}
