/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Any bytes as the text of a kernel uevent ("add@/devices/...", then KEY=VALUE, each ended by NUL): what is
 * looked up for the device is what it said itself or a constant, and it can be shown.
 */

#include "common/base/text.h"
#include "common/device/device-keys.h"
#include "support.h"

/* The value, if the line is an assignment to the key. */
static const char *value_of(const char *line, const char *key) {
        size_t length = strlen(key);

        return strncmp(line, key, length) == 0 && line[length] == '=' ? line + length + 1 : NULL;
}

static void take_line(DeviceFacts *facts, const char *line) {
        static const struct {
                const char *key;
                size_t offset;
        } fields[] = {
                { "ACTION", offsetof(DeviceFacts, action) },
                { "SUBSYSTEM", offsetof(DeviceFacts, subsystem) },
                { "MODALIAS", offsetof(DeviceFacts, modalias) },
                { "TIFM_CARD_TYPE", offsetof(DeviceFacts, tifm_card_type) },
                { "MTD_FTL", offsetof(DeviceFacts, mtd_ftl) },
        };
        const char *value;

        for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
                value = value_of(line, fields[i].key);
                if (value)
                        *(const char **) ((char *) facts + fields[i].offset) = value;
        }

        value = value_of(line, "DEVPATH");
        if (value)
                facts->sysname = strrchr(value, '/') ? strrchr(value, '/') + 1 : value;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        const char *keys[DEVICE_KEYS_MAX];
        DeviceFacts facts = {};
        char *text = fuzz_text(data, size), *line;
        size_t n;

        for (line = text; line < text + size; line += strlen(line) + 1)
                take_line(&facts, line);

        n = device_keys(&facts, keys);
        must(n <= DEVICE_KEYS_MAX && (n == 0 || streq(facts.action, "add")));
        for (size_t i = 0; i < n; i++) {
                char shown[TEXT_SHOWN_MAX], *escaped = NULL;

                must(keys[i][0] != '\0' && text_escape(keys[i], &escaped) == 0);
                text_show(keys[i], shown);
                free(escaped);
        }

        free(text);
        return 0;
}
