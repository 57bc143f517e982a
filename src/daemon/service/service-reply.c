/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* ServiceReply: see service-reply.h. Owns nothing. */

#include "daemon/service/service-reply.h"

#include <assert.h>
#include <stdarg.h>

#include "common/base/text.h"
#include "common/explain/failure-text.h"
#include "common/interface/interface.h"
#include "daemon/history/monitors.h"

/**
 * reply_message() - an error with a message and a hint, and nothing else
 * @hint: NULL for none
 *
 * Return: what a method handler returns, as for all functions here that reply.
 */
int reply_message(sd_varlink *link, const char *error_id, const char *hint, const char *format, ...) {
        _cleanup_(freep) char *message = NULL, *clean = NULL;
        va_list ap;
        int n, r;

        va_start(ap, format);
        n = vasprintf(&message, format, ap);
        va_end(ap);
        if (n < 0) {
                message = NULL;
                return -ENOMEM;
        }
        r = text_escape(message, &clean);
        if (r < 0)
                return r;

        return sd_varlink_errorbo(
                link, error_id, SD_JSON_BUILD_PAIR_STRING("message", clean),
                SD_JSON_BUILD_PAIR_CONDITION(hint != NULL, "hint", SD_JSON_BUILD_STRING(hint)));
}

/* What some file says is not known, and it may be about the module; udev and modprobe, which run as root, know it. */
int reply_unread(sd_varlink *link, const Problem *unread, const Obstacle *obstacle, const char *name) {
        _cleanup_(freep) char *hint = NULL, *message = NULL, *text = NULL, *clean = NULL;
        int r;

        assert(link && unread && obstacle && name);

        if (asprintf(&text, "'%s' is not loaded, since %s %s, and may say something about it", name,
                     unread->file, unread->message) < 0) {
                text = NULL;
                return -ENOMEM;
        }
        r = text_escape(text, &message);
        if (r >= 0)
                r = text_escape(name, &clean);
        if (r >= 0)
                r = text_escape(obstacle->remedy, &hint);
        if (r < 0)
                return r;
        return sd_varlink_errorbo(
                link, LKMD_ERROR_LOAD_FAILED, SD_JSON_BUILD_PAIR_STRING("message", message),
                SD_JSON_BUILD_PAIR_STRING("hint", hint), SD_JSON_BUILD_PAIR_STRING("module", clean),
                SD_JSON_BUILD_PAIR_INTEGER("errno", EACCES));
}

/* Nothing has that name; the reply says so if that is because there is no index. */
int reply_no_such_module(sd_varlink *link, const Index *index, const char *name) {
        assert(link && index && name);

        if (!index_is_complete(index))
                return reply_message(link, LKMD_ERROR_NO_SUCH_MODULE,
                                     "install the modules of the running kernel, or run depmod -a; lkmd "
                                     "notices by itself",
                                     NO_INDEX_TEXT ", so '%s' cannot be found",
                                     index_get_module_dir(index), name);
        return reply_message(link, LKMD_ERROR_NO_SUCH_MODULE,
                             NO_SUCH_MODULE_HINT,
                             NO_SUCH_MODULE_TEXT, name,
                             index_get_module_dir(index));
}

/* To a call with the flag 'more': something that belongs to its request began or ended. */
int send_progress(sd_varlink *link, const char *kind, const Record *record) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *event = NULL;
        int r;

        r = event_of_record(kind, record, &event);
        if (r < 0)
                return r;
        return sd_varlink_notifybo(link, SD_JSON_BUILD_PAIR_VARIANT("progress", event));
}
