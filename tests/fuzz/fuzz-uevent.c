/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Any bytes as the text of a kernel uevent ("add@/devices/...", then KEY=VALUE, each ended by NUL): what is
 * looked up for the device is what it said itself or a constant, and it can be shown. A copy says the same. As a
 * message it has a path, and no line break in any of its facts.
 */

#include "common/base/text.h"
#include "common/device/device-keys.h"
#include "daemon/devices/kernel-uevent.h"
#include "support.h"

static void check_message(const uint8_t *data, size_t size) {
        static KernelUevent u;
        const char *facts[3];

        size = MIN(size, (size_t) KERNEL_UEVENT_MAX);
        memset(&u, 'x', sizeof(u));
        memcpy(u.text, data, size);
        if (kernel_uevent_parse(&u, size) < 0)
                return;
        must(u.device[0] == '/' && u.facts.action && u.facts.sysname);
        facts[0] = u.device;
        facts[1] = u.facts.action;
        facts[2] = u.facts.modalias ?: "";
        for (size_t i = 0; i < ARRAY_LEN(facts); i++)
                must(!strchr(facts[i], '\n'));
        must(strlen(u.device) < size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        const char *keys[DEVICE_KEYS_MAX];
        DeviceFacts facts = {}, copy;
        char *text = fuzz_text(data, size), *memory;
        size_t n;

        check_message(data, size);
        device_facts_parse(&facts, text, size);
        memory = malloc(device_facts_size(&facts) + 1);
        must(memory);
        device_facts_copy(&copy, &facts, memory);
        must(device_facts_equal(&copy, &facts));

        n = device_keys(&facts, keys);
        must(n <= DEVICE_KEYS_MAX && (n == 0 || streq(facts.action, "add")));
        for (size_t i = 0; i < n; i++) {
                char shown[TEXT_SHOWN_MAX], *escaped = NULL;

                must(keys[i][0] != '\0' && text_escape(keys[i], &escaped) == 0);
                text_show(keys[i], shown);
                free(escaped);
        }

        free(memory);
        free(text);
        return 0;
}
