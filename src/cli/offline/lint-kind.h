/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <errno.h>
#include <stdbool.h>

/* FindingKind: what policy lint can find. lkmd-lint(5) describes each. */
typedef enum FindingKind {
        FINDING_UNREACHABLE,
        FINDING_EXPIRED,
        FINDING_NEVER_KNOWN,
        FINDING_ANY_PARAMETER,
        FINDING_KERNEL_REQUESTS,
        FINDING_ALLOWED_BY_COMMAND,
        FINDING_CLOSED_TO_CONTAINERS,
        FINDING_VITAL_SOCKETS,
        FINDING_NO_SUCH_MODULE,
        FINDING_ABSENT_MODULE,
        FINDING_BUILT_IN,
        FINDING_OVERRULED,
        FINDING_INSTALL_OVERLOOKED,
        FINDING_BLACKLIST_OF_DEPENDENCY,
        FINDING_BLACKLIST_OF_ALIAS,
        FINDING_UNKNOWN_PARAMETER,
        FINDING_COMMAND_MISSING,
        FINDING_UNUSUAL_DENIAL,
        FINDING_ALIAS_OFF,
        FINDING_ALIAS_TO_NOTHING,
        FINDING_SOFTDEP_WITHOUT_PLACE,
        FINDING_BAD_LINE,
        FINDING_BAD_NAME,
        FINDING_EXTRA_WORDS,
        FINDING_TRAILING_COMMENT,
        FINDING_INDENTED_COMMENT,
        FINDING_HIDDEN_CHARACTER,
        FINDING_CARRIAGE_RETURN,
        FINDING_ENCODING,
        FINDING_IGNORED_FILE,
        FINDING_HIDDEN_FILE,
        FINDING_NOT_READ,
        FINDING_DASH_ON_COMMAND_LINE,
        FINDING_ONLY_FIRST_COUNTS,
        FINDING_ONLY_LAST_COUNTS,
        FINDING_BROKEN,
        FINDING_BAD_ACCEPTANCE,
        FINDING_UNUSED_ACCEPTANCE,
        _FINDING_KIND_MAX,
        _FINDING_KIND_INVALID = -EINVAL,
} FindingKind;

const char *finding_kind_to_string(FindingKind kind);
FindingKind finding_kind_from_string(const char *name);
const char *finding_kind_nearest(const char *name); /* NULL: none is near */
bool finding_kind_is_note(FindingKind kind);        /* worth knowing, but no mistake */
